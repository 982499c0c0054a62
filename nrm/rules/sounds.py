"""How a single name sounds: its consonants in one code for all three writings, and how alike two sound."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


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
MOST_SOUNDS: Final = 8
"""Most ways in which one name is heard."""


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
    for way in itertools.islice(ways, MOST_SOUNDS):
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


def hear(word: str) -> list[Sound]:
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


def sound_score(one: Sound, two: Sound) -> float:
    """Say how alike two sounds with the same key are, 0 to 1, by their vowels."""
    end = len(one.gaps) - 1
    cost = sum(
        _gap_cost(left, right, one, two, last=place == end) * (0.4 if place == 0 and "a" not in left + right else 1)
        for place, (left, right) in enumerate(zip(one.gaps, two.gaps, strict=False))
    )
    return max(0.0, 1 - 0.4 * cost)
