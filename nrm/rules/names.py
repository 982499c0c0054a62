"""Find one person under many spellings: Arabic, Sorani and Latin letters.

Three tools. `fold` makes texts that only differ in how a letter is typed equal. A *sound* is the row of consonants
of a name, the same for both scripts, so that محمد finds Mohammed, Muhammad and Mohamed; it is what the database is
searched by. `name_score` then compares the vowels, too, so that Hasan is not Hussein and Amin is not Amina.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import Levenshtein

from nrm.rules.texts import fold_digits

_MARKS: Final = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u2060-\u2069\ufeff]")
_FOLDED: Final = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        **dict.fromkeys("ىیێېۍ", "ي"),
        **dict.fromkeys("ک", "ك"),
        **dict.fromkeys("ةەھۀہۂۃ", "ه"),
        **dict.fromkeys("ۆؤۊۇ", "و"),
        "ئ": "ي",
        "ڕ": "ر",
        "ڵ": "ل",
        "ء": "",
        "'": "",
        "’": "",
        "‘": "",
        "`": "",
        "ʿ": "",
        "ʾ": "",
    }
)
_SORANI_START: Final = re.compile("(?<![\u0600-\u06ff])(?:ئ[اە]|ئ(?=[ۆوێیي]))")


def fold(text: str) -> str:
    """Bring a text to the form in which it is searched: one letter for each group that people mix up, no marks.

    أإآٱ→ا · ىیێ→ي · ک→ك · ةەھ→ه · ؤۆ→و · ئ→ي (at the start of a Sorani word →ا) · ڕ→ر · ڵ→ل; Latin letters small and
    without accents; digits 0–9; tatweel, vowel marks, hamza and zero-width characters fall away.
    """
    if text.isascii():
        return " ".join(text.lower().replace("'", "").replace("`", "").split())
    plain = _SORANI_START.sub("ا", fold_digits(unicodedata.normalize("NFC", text)))
    plain = _MARKS.sub("", plain).translate(_FOLDED).lower()
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(mark))
    return " ".join(plain.split())


@dataclass(frozen=True, slots=True)
class Sound:
    """One way to hear a name.

    Attributes:
        key: a letter for each consonant; a name that begins with a vowel begins with "A", "W" or "Y".
        gaps: the vowels after the start and after each consonant, as written.
        arabic: it was written in Arabic letters, where short vowels are not.
        sorani: it was written in Sorani letters, where they are.
    """

    key: str
    gaps: tuple[str, ...]
    arabic: bool
    sorani: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One name of a person, compounds together ("Abd al-Rahman" is one)."""

    folded: str
    sounds: tuple[Sound, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all its sounds."""
        return frozenset(sound.key for sound in self.sounds)


_ARABIC: Final[dict[str, str]] = {
    **dict.fromkeys("بپ", "B"),
    **dict.fromkeys("تط", "T"),
    **dict.fromkeys("ثسص", "S"),
    **dict.fromkeys("جچ", "J"),
    **dict.fromkeys("حخهھ", "H"),
    "د": "D",
    **dict.fromkeys("ذظض", "ZD"),
    **dict.fromkeys("رڕ", "R"),
    **dict.fromkeys("زژ", "Z"),
    "ش": "C",
    **dict.fromkeys("غقكکگ", "K"),
    **dict.fromkeys("فڤ", "F"),
    **dict.fromkeys("لڵ", "L"),
    "م": "M",
    "ن": "N",
}
_ARABIC_VOWELS: Final[dict[str, str]] = {
    **dict.fromkeys("اأآٱى", "a"),
    **dict.fromkeys("يیێئإ", "i"),
    **dict.fromkeys("وۆؤ", "u"),
    "ە": "e",
    "ع": "3",
}
_SORANI: Final = re.compile("[ەێۆڕڵڤچپگژ]")
_LATIN_PAIRS: Final = (
    ("tch", "J"), ("sch", "C"), ("sh", "C"), ("kh", "H"), ("gh", "K"), ("th", "S"), ("dh", "ZD"), ("dj", "J"),
    ("ch", "J"), ("zh", "Z"), ("ph", "F"), ("ck", "K"), ("ş", "C"), ("ç", "J"), ("ğ", "K"),
)  # fmt: skip
_LATIN: Final = dict(zip("bpdfvgkqchxjlmnrstz", "BBDFFKKKKHHJLMNRSTZ", strict=True))
_LATIN_VOWELS: Final = "aeiouyw"
_SHORT_FORMS: Final = {"mohd": "mohammed", "mhd": "mohammed", "muhd": "mohammed", "md": "mohammed"}
_ARTICLES: Final = frozenset(["al", "el", "il", "ul", "as", "ash", "ar", "ad", "an", "at", "az", "us", "ur", "ud"])
_SKIPPED: Final = frozenset(["bin", "ibn", "ben", "bint", "بن", "ابن", "بنت"])
_JOINED: Final = frozenset(["abu", "ابو"])
_LONGEST_UNIT: Final = 40
_MOST_UNITS: Final = 12
_MOST_SOUNDS: Final = 8
_SAME: Final = 0.85


def _arabic_letters(word: str) -> list[tuple[str, str]]:
    letters = []
    last = len(word) - 1
    for place, letter in enumerate(word):
        if letter == "ة":
            letters.append(("-T", "a"))
        elif letter in "هھ" and place == last and place > 0:
            letters.append(("-H", "a"))
        elif letter in _ARABIC:
            letters.append((_ARABIC[letter], ""))
        elif letter in _ARABIC_VOWELS:
            letters.append(("", _ARABIC_VOWELS[letter]))
    return letters


def _latin_letters(word: str) -> list[tuple[str, str]]:
    letters: list[tuple[str, str]] = []
    rest = word
    while rest:
        pair = next(((text, sound) for text, sound in _LATIN_PAIRS if rest.startswith(text)), None)
        if pair:
            letters.append((pair[1], ""))
            rest = rest[len(pair[0]) :]
            continue
        letter, rest = rest[0], rest[1:]
        if letter in _LATIN_VOWELS:
            letters.append(("", letter))
        elif letter == "h" and not rest and letters:
            letters.append(("-H", ""))
        elif letter in _LATIN and not (letters and letters[-1][0] == _LATIN[letter]):
            letters.append((_LATIN[letter], ""))
    return letters


def _sounds(letters: Sequence[tuple[str, str]], start: str, *, arabic: bool, sorani: bool) -> list[Sound]:
    ways = itertools.product(*(_ways(consonants) for consonants, _ in letters))
    found = []
    for way in itertools.islice(ways, _MOST_SOUNDS):
        key, gaps = start, [""]
        for consonant, (_, vowel) in zip(way, letters, strict=True):
            if consonant:
                key += consonant
                gaps.append("")
            else:
                gaps[-1] += vowel
        found.append(Sound(key, tuple(gaps), arabic, sorani))
    return found


def _ways(option: str) -> tuple[str, ...]:
    if option.startswith("-"):
        return ("", option[1:])
    return tuple(option) or ("",)


def _hear(word: str) -> list[Sound]:
    """List the sounds of one word; the word is small, without accents, and its Arabic letters are as written."""
    arabic = "\u0600" <= word[:1] <= "\u06ff"
    if arabic:
        start = "A" if word[0] in "اأإآٱعئ" else {"و": "W", "ي": "Y", "ی": "Y"}.get(word[0], "")
        skipped = 2 if word[0] == "ئ" and word[1:2] in ("ا", "ە") else 1
        body = word[skipped:] if start else word
        return _sounds(_arabic_letters(body), start, arabic=True, sorani=bool(_SORANI.search(word)))
    start = {"w": "W", "y": "Y"}.get(word[:1], "A" if word[:1] in set("aeiou") else "")
    body = word[1:] if start in ("W", "Y") else word
    return _sounds(_latin_letters(body), start, arabic=False, sorani=False)


_ABD: Final = re.compile(r"abd(?:(?:[aeiou]{1,2})?l|[aeiou](?=([rsndtz])\1)[rsndtz]|[aeiou]sh(?=sh))?-?(.{3,}|lah?)")
_DIN: Final = re.compile(r"(.{2,}?)[-']?(?:[aeiou]?[ld]|[aeiou])?-?d(?:i|ee|ie|ii)n")


def _parts_of(word: str) -> list[tuple[str, ...]]:
    """Split one word into the ways its pieces may be heard; articles inside compounds fall away."""
    if "\u0600" <= word[:1] <= "\u06ff":
        return _arabic_parts(word)
    found = _ABD.fullmatch(word)
    if found:
        return [("abd", found[2])]
    found = _DIN.fullmatch(word)
    if found and len(word) > 5:
        return [(found[1], "din")]
    if len(word) >= 6 and word[:2] in ("al", "el"):
        return [(word,), (word[2:],)]
    return [(word,)]


def _arabic_parts(word: str) -> list[tuple[str, ...]]:
    if word.startswith("عبد") and len(word) > 4:
        rest = word[3:]
        return [("عبد", rest[2:] if rest.startswith("ال") and len(rest) > 3 else rest)]
    if word.endswith(("الدين", "الدین")) and len(word) > 6:
        return [(word[:-5], "دين")]
    if word.startswith("ال") and len(word) >= 5:
        return [(word[2:],), (word,)]
    return [(word,)]


def _join(sounds: Sequence[Sequence[Sound]]) -> list[Sound]:
    """Join the sounds of the pieces of a compound."""
    joined = []
    for pieces in itertools.islice(itertools.product(*sounds), _MOST_SOUNDS):
        gaps = list(pieces[0].gaps)
        for piece in pieces[1:]:
            gaps += ["", *piece.gaps[1:]] if piece.key[:1] in ("A", "W", "Y") else list(piece.gaps[1:])
        key = "".join(piece.key for piece in pieces)
        joined.append(Sound(key, tuple(gaps), pieces[0].arabic, any(piece.sorani for piece in pieces)))
    return joined


@lru_cache(maxsize=20_000)
def _unit(word: str) -> Unit:
    sounds: dict[tuple[str, tuple[str, ...]], Sound] = {}
    for pieces in _parts_of(_SHORT_FORMS.get(word, word)):
        heard = [_hear(piece) for piece in pieces]
        for sound in _join(heard) if len(heard) > 1 else heard[0]:
            if sound.key:
                sounds.setdefault((sound.key, sound.gaps), sound)
    return Unit(fold(word), tuple(sounds.values())[: 2 * _MOST_SOUNDS])


def _light(text: str) -> str:
    """Small letters, no accents or marks, but Arabic letters as they are written."""
    plain = _MARKS.sub("", unicodedata.normalize("NFC", text)).lower().replace("ş", "sh").replace("ç", "ch")
    plain = plain.replace("ı", "i").replace("ß", "ss")
    wide = re.sub("[\u00c0-\u024f]", lambda found: unicodedata.normalize("NFKD", found[0])[0], plain)
    return re.sub("['’‘`ʿʾ]", "", wide)


def split_name(text: str) -> tuple[Unit, ...]:
    """Split a written name into its names: articles and "son of" fall away, compounds stay together.

    Args:
        text: names in order, in any of the three writings; at most 12 names count.
    """
    words = [word for word in re.split(r"[\s\-‐‑–_.,،/()]+", _light(text)) if word][: 2 * _MOST_UNITS]
    units: list[Unit] = []
    place = 0
    while place < len(words) and len(units) < _MOST_UNITS:
        word, taken = _next_word(words, place)
        place += taken
        if word:
            units.append(_unit(word[:_LONGEST_UNIT]))
    return tuple(units)


def _next_word(words: Sequence[str], place: int) -> tuple[str, int]:
    """Give the next name with its compounds joined, and how many words it took; "" for a word to skip."""
    word, after = words[place], words[place + 1 :]
    if (word in _SKIPPED or word in _ARTICLES) and after:
        return "", 1
    base = word.replace("أ", "ا")
    if word in ("عبد", "abd", "abdul", "abdel", "abdal", "abdur", "abdus") and after:
        skip = 1 if after[0] in _ARTICLES and len(after) > 1 else 0
        head = "abd" if word[0] == "a" else "عبد"
        return head + after[skip], 2 + skip
    if base in _JOINED and after:
        return base + after[0], 2
    if after and after[0] in ("الدين", "الدین"):
        return word + "الدين", 2
    if len(after) > 1 and after[0] in _ARTICLES and after[1] in ("din", "deen", "dien"):
        return f"{word}aldin", 3
    return word, 1


def name_tokens(parts: Iterable[str]) -> frozenset[str]:
    """List the folded names by which a person is found when the spelling is the same but for folding.

    Args:
        parts: written names, in any order and script.
    """
    return frozenset(unit.folded for part in parts for unit in split_name(part) if unit.folded)


def sound_tokens(parts: Iterable[str]) -> frozenset[str]:
    """List the sounds by which a person is found under another spelling or in another script.

    Args:
        parts: written names, in any order and script.
    """
    return frozenset(key for part in parts for unit in split_name(part) for key in unit.keys)


_LONG: Final = re.compile(r"aa|ee|ii|oo|ou|uu|ei|ai|ay|ey|ie|iy|aw|au|ow|eau|yi|ia|ea")
_CLASS: Final = str.maketrans({"y": "i", "w": "u", "o": "u"})


def _gap_cost(left: str, right: str, one: Sound, two: Sound, *, last: bool) -> float:
    """Say how unlike two vowels are, 0 to 1."""
    if left == right:
        return 0
    if one.arabic != two.arabic:
        return (
            _mixed_cost(left, right, one.sorani, last=last)
            if one.arabic
            else _mixed_cost(right, left, two.sorani, last=last)
        )
    if one.arabic:
        return _arabic_cost(left, right, either_sorani=one.sorani or two.sorani, last=last)
    return _latin_cost(left, right, last=last)


def _mixed_cost(arabic: str, latin: str, sorani: bool, *, last: bool) -> float:
    classes = set(latin.translate(_CLASS))
    if "3" in arabic and classes <= {"a"}:
        return 0
    arabic = arabic.replace("3", "")
    if not arabic.strip("e"):
        if last:
            return 0 if bool(arabic) == bool(latin) else 0.6
        return 0.5 if _LONG.search(latin) else 0
    if last and arabic[-1] == "a":
        return 0 if classes & {"a", "e"} and ("i" in arabic or "i" not in classes) else 0.6
    wanted = {"a": {"a", "e"}, "i": {"i", "e"}, "u": {"u"}, "e": {"a", "e", "i"}}
    misses = [letter for letter in set(arabic) if not classes & wanted[letter]]
    if not misses:
        return 0
    return 0.25 if sorani and not latin else 1


def _arabic_cost(left: str, right: str, *, either_sorani: bool, last: bool) -> float:
    left, right = left.replace("3", ""), right.replace("3", "")
    one, two = left.replace("e", ""), right.replace("e", "")
    if last and "e" in left + right:
        one, two = left.replace("e", "a"), right.replace("e", "a")
    if one == two:
        return 0
    if one and two:
        return 0.8
    return 0.25 if either_sorani and set(one + two) <= {"u", "i"} and not last else 0.6


def _latin_cost(left: str, right: str, *, last: bool) -> float:
    one, two = (vowels.replace("ee", "i").replace("ou", "o").translate(_CLASS) for vowels in (left, right))
    if last and one and two and (one[-1] == "a") != (two[-1] == "a") and "e" not in one + two:
        return 0.6
    if bool(one) != bool(two):
        return 0.6 if last else 0.2
    long_one, long_two = bool(_LONG.search(one)), bool(_LONG.search(two))
    close = bool(set(one) & set(two)) or (set(one) | set(two)) <= {"e", "i"} or (set(one) | set(two)) <= {"a", "e"}
    if close:
        return 0.5 if long_one != long_two and not (set(one[:1]) & set(two[:1])) else 0
    if "u" in one + two and not (long_one and long_two):
        return 0.3
    return 0.5 if not (long_one or long_two) else 0.8


def _sound_score(one: Sound, two: Sound) -> float:
    end = len(one.gaps) - 1
    cost = sum(
        _gap_cost(left, right, one, two, last=place == end) * (0.4 if place == 0 and "a" not in left + right else 1)
        for place, (left, right) in enumerate(zip(one.gaps, two.gaps, strict=False))
    )
    return max(0.0, 1 - 0.4 * cost)


@lru_cache(maxsize=50_000)
def unit_score(one: Unit, two: Unit) -> float:
    """Say how alike two single names are, 0 to 1; from 0.85 on they are taken for the same name."""
    if one.folded == two.folded:
        return 1.0
    heard = [_sound_score(a, b) for a in one.sounds for b in two.sounds if a.key == b.key]
    typed = 0.0
    if one.sounds and two.sounds and one.sounds[0].arabic == two.sounds[0].arabic:
        typed = 0.95 * Levenshtein.normalized_similarity(one.folded, two.folded) if not heard else 0.0
    return max([*heard, typed], default=0.0)


def name_score(one: str, two: str) -> float:
    """Say how alike two whole names are, 0 to 1.

    The first (own) name counts three times, and when it is another name the rest proves little: brothers. The shorter name is laid along the longer one in order, so that a
    name without the great-grandfather, or with the surname instead of him, still fits.

    Args:
        one: names in order: own, father, grandfather …; any script.
        two: the same.
    """
    left, right = sorted((split_name(one), split_name(two)), key=len)
    if not left:
        return 0.0
    own = unit_score(left[0], right[0])
    rest = _along(left[1:], right[1:])
    return (3 * own + sum(rest)) / (3 + len(rest)) * min(1.0, own / _SAME)


def _along(shorter: Sequence[Unit], longer: Sequence[Unit]) -> list[float]:
    """Lay names along a longer row in order so that the sum of scores is largest."""
    best: list[list[list[float]]] = [[[] for _ in range(len(longer) + 1)] for _ in range(len(shorter) + 1)]
    for i in range(1, len(shorter) + 1):
        best[i][0] = [0.0] * i
        for j in range(1, len(longer) + 1):
            take = [*best[i - 1][j - 1], unit_score(shorter[i - 1], longer[j - 1])]
            skip = [*best[i - 1][j], 0.0]
            best[i][j] = max(take, skip, best[i][j - 1] if j > 1 else take, key=sum)
    return best[len(shorter)][len(longer)] if longer else [0.0] * len(shorter)
