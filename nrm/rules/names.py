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

from nrm.rules.sounds import MOST_SOUNDS, Sound, hear, sound_score
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
    plain = _SORANI_START.sub("ا", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFKD", _MARKS.sub("", plain).translate(_FOLDED))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    plain = unicodedata.normalize("NFKC", fold_digits(plain).translate(_FOLDED).casefold())
    return " ".join(plain.split())


@dataclass(frozen=True, slots=True)
class Unit:
    """One name of a person, compounds together ("Abd al-Rahman" is one)."""

    folded: str
    sounds: tuple[Sound, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all its sounds."""
        return frozenset(sound.key for sound in self.sounds)


_SHORT_FORMS: Final = {"mohd": "mohammed", "mhd": "mohammed", "muhd": "mohammed", "md": "mohammed"}
_ARTICLES: Final = frozenset(["al", "el", "il", "ul", "as", "ash", "ar", "ad", "an", "at", "az", "us", "ur", "ud"])
_SKIPPED: Final = frozenset(["bin", "ibn", "ben", "bint", "بن", "ابن", "بنت"])
_JOINED: Final = frozenset(["abu", "ابو"])
_ABDS: Final = frozenset(["عبد", "abd", "abdul", "abdel", "abdal", "abdur", "abdus"])
_DINS: Final = frozenset(["الدين", "الدین", "al din", "ad din", "aldin", "el din"])
_LONGEST_UNIT: Final = 40
_MOST_UNITS: Final = 12
_SAME: Final = 0.85

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
    for pieces in itertools.islice(itertools.product(*sounds), MOST_SOUNDS):
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
        heard = [hear(piece) for piece in pieces]
        for sound in _join(heard) if len(heard) > 1 else heard[0]:
            if sound.key:
                sounds.setdefault((sound.key, sound.gaps), sound)
    return Unit(fold(word), tuple(sounds.values())[: 2 * MOST_SOUNDS])


def _light(text: str) -> str:
    """Small letters, no accents or marks, but Arabic letters as they are written."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text)).lower().replace("ş", "sh").replace("ç", "ch")
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
    if word in _ABDS and after:
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


def split_written(text: str) -> tuple[str, ...]:
    """Split a written name into its names as they are written, compounds ("عبد الله", "Abd al-Rahman") together."""
    words = text.split()
    names = []
    place = 0
    while place < len(words):
        taken = _words_taken([_light(word).replace("-", " ") for word in words[place : place + 3]])
        names.append(" ".join(words[place : place + taken]))
        place += taken
    return tuple(names)


def _words_taken(words: Sequence[str]) -> int:
    """Count the written words of the first name among some."""
    first, after = words[0], words[1:]
    if not after:
        return 1
    if first in _ABDS or first.replace("أ", "ا") in _JOINED:
        return 3 if after[0] in _ARTICLES and len(after) > 1 else 2
    return 2 if after[0] in _DINS or first in _SKIPPED else 1


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


@lru_cache(maxsize=50_000)
def unit_score(one: Unit, two: Unit) -> float:
    """Say how alike two single names are, 0 to 1; from 0.85 on they are taken for the same name."""
    if one.folded == two.folded:
        return 1.0
    heard = [sound_score(a, b) for a in one.sounds for b in two.sounds if a.key == b.key]
    typed = 0.0
    if one.sounds and two.sounds and one.sounds[0].arabic == two.sounds[0].arabic:
        typed = 0.95 * Levenshtein.normalized_similarity(one.folded, two.folded) if not heard else 0.0
    return max([*heard, typed], default=0.0)


def name_score(one: str, two: str) -> float:
    """Say how alike two whole names are, 0 to 1.

    The first (own) name counts three times, and when it is another name the rest proves little: brothers. The
    shorter name is laid along the longer one in order, so that a name without the great-grandfather, or with the
    surname instead of him, still fits.

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
