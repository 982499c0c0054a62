"""Check texts for people: all languages there, each in its script, places to fill in alike, one word for one thing.

Sorani letters are those of the Unicode-based orthography of the Kurdistan Region: ک ی ە ڕ ڵ ۆ ێ ڤ, not the Arabic
ك ي ة ى. Arabic texts use the letters of Arabic; other letters occur only in names of places and people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Final

from nrm.countries.wording import Wording
from nrm.i18n import LANGUAGES

_PLACE: Final = re.compile(r"\{(\w+)[^{}]*\}|\$\{(\w+)\}")
_ARABIC: Final = "\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff"
_ARABIC_LETTER: Final = re.compile(f"[{_ARABIC}]")
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f][\w\u00c0-\u024f.:/@#-]*", re.ASCII)
_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9_./-]*|\w+[_:.@/]\S*|P\d*T?\d*[A-Z]?|\w*\d\w*", re.ASCII)
_NOT_ARABIC: Final = re.compile("[پچژگکیڤڕڵۆێەھ]")
_NOT_SORANI: Final = re.compile("[يكةىؤإأ]")
_BROKEN: Final = re.compile("[\u202a-\u202e\u2066-\u2069\ufffd\ufeff]|\\s$|^\\s| {2}")
_MARKS: Final = re.compile("[\u064b-\u0652\u0640]")
# fmt: off
_PROGRAM_WORDS: Final = frozenset([
    "Authorization", "Idempotency-Key", "If-Match", "ETag", "version", "XLSForm", "OpenAPI", "OAuth", "selected",
    "list", "code", "in", "and", "or", "not", "ad-hoc", "true", "false", "run", "case", "working", "clock", "opened",
    "arrival", "return", "name", "instruction", "ar", "ckb", "en", "compensation", "nrm", "verify", "link", "result",
    "instantiate", "transaction", "standard", "restricted", "strict", "friday", "uses",
    "after", "caller", "https", "pdf", "Pango", "date",
])
# fmt: on
_ENDINGS: Final = {
    "en": "(?:s|es|'s|’s)?",
    "ar": "(?:ون|ين|ان|ات|ة|ه|ها|هم|ية|ي|اً|ا|ك|كم|نا)?",
    "ckb": f"[{_ARABIC}]{{0,8}}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwanted:
    """A word that is not to be used."""

    word: str
    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words of a pack.

    Attributes:
        terms: concept → the preferred term in each language.
        unwanted: language → words that must not appear, with what to write instead.
        latin: Latin words that may stand in Arabic and Sorani texts: brand names, codes, file kinds.
        letters: Arabic texts, or words of them, that rightly hold other letters (names of places).
        names: names and fixed phrases in which an unwanted word is right.
    """

    terms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unwanted: Mapping[str, tuple[Unwanted, ...]] = field(default_factory=dict)
    latin: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFinding:
    """One thing that is wrong with a text.

    Attributes:
        file: the file.
        key: place in the file.
        language: language of the text.
        code: missing, not_arabic_script, latin, other_letters, places_differ, broken or unwanted.
        detail: the words or letters that it is about.
    """

    file: str
    key: str
    language: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who read a text and found it right, and when."""

    reviewer: str
    on: date


def read_vocabulary(data: object) -> Vocabulary:
    """Read a pack's vocabulary.json.

    Raises:
        ValueError: it does not have the shape {"terms": {}, "unwanted": {language: [{"word", "use"}]}, "latin": [],
            "letters": [],
            "names": []}.
    """
    if not isinstance(data, Mapping):
        raise ValueError("vocabulary.json: not an object")
    try:
        return Vocabulary(
            terms={str(concept): dict(texts) for concept, texts in dict(data.get("terms", {})).items()},
            unwanted={
                str(language): tuple(Unwanted(word=str(entry["word"]), use=str(entry["use"])) for entry in entries)
                for language, entries in dict(data.get("unwanted", {})).items()
            },
            latin=frozenset(map(str, data.get("latin", []))),
            letters=frozenset(map(str, data.get("letters", []))),
            names=tuple(map(str, data.get("names", []))),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"vocabulary.json: {error}") from None


def check_wording(texts: Iterable[Wording], vocabulary: Vocabulary) -> tuple[TextFinding, ...]:
    """Check texts.

    Args:
        texts: all texts, as `read_wording` gives them.
        vocabulary: the pack's words.

    Returns:
        What is wrong, in the order of the texts.
    """
    return tuple(finding for wording in texts for finding in _check(wording, vocabulary))


def _check(wording: Wording, vocabulary: Vocabulary) -> Iterator[TextFinding]:
    english = wording.texts.get("en", "")
    for language in LANGUAGES:
        text = wording.texts.get(language, "")
        known = _without_program_words(wording, vocabulary)
        for code, detail in _problems(language, text, english, known):
            yield TextFinding(file=wording.file, key=wording.key, language=language, code=code, detail=detail)


def _without_program_words(wording: Wording, vocabulary: Vocabulary) -> Vocabulary:
    """Messages to authors and programmers name the words that they must write."""
    if not wording.file.startswith("catalogue/"):
        return vocabulary
    return replace(vocabulary, latin=vocabulary.latin | _PROGRAM_WORDS)


def _problems(language: str, text: str, english: str, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    if not text.strip():
        yield "missing", ""
        return
    if broken := _BROKEN.search(text):
        yield "broken", f"U+{ord(broken[0][0]):04X} at {broken.start()}"
    if language != "en":
        yield from _script(language, text, english, vocabulary)
        if english and _places(text) != _places(english):
            yield "places_differ", ", ".join(sorted(_places(text) ^ _places(english)))
    for entry in vocabulary.unwanted.get(language, ()):
        if found := _word(language, entry.word).search(_plain(text, vocabulary.names)):
            yield "unwanted", f"{found[0]} → {entry.use}"


def _places(text: str) -> set[str]:
    return {found[1] or found[2] for found in _PLACE.finditer(text)}


def _script(language: str, text: str, english: str, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    bare = _PLACE.sub(" ", text)
    words = [word.rstrip(".:/-") for word in _LATIN_WORD.findall(bare)]
    foreign = [word for word in words if not _may_be_latin(word, english, vocabulary)]
    if foreign and not _ARABIC_LETTER.search(bare):
        yield "not_arabic_script", " ".join(foreign[:5])
    elif foreign:
        yield "latin", " ".join(foreign[:5])
    wrong = _NOT_ARABIC if language == "ar" else _NOT_SORANI
    for word in re.findall(f"[{_ARABIC}]+", bare):
        if wrong.search(word) and not _has_letters(word, text, vocabulary):
            yield "other_letters", word


def _may_be_latin(word: str, english: str, vocabulary: Vocabulary) -> bool:
    """A code that the English text names too, or a listed name."""
    return word in vocabulary.latin or bool(_CODE.fullmatch(word) and word in english)


def _has_letters(word: str, text: str, vocabulary: Vocabulary) -> bool:
    return word in vocabulary.letters or text in vocabulary.letters


def _plain(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        text = text.replace(name, " ")
    return _MARKS.sub("", text)


@lru_cache(maxsize=512)
def _word(language: str, word: str) -> re.Pattern[str]:
    before = r"(?<!\w)" if language != "ar" else f"(?<![{_ARABIC}])(?:[وف]?[بلك]?(?:ال|لل)?)"
    return re.compile(f"{before}{re.escape(word)}{_ENDINGS[language]}(?!\\w)", re.IGNORECASE)


def reviewed_share(texts: Iterable[Wording], reviews: Mapping[str, Review]) -> Mapping[str, tuple[int, int]]:
    """Count how many texts a native speaker has read as they now stand.

    Returns:
        Language → (reviewed, all).
    """
    everything = tuple(texts)
    return {
        language: (sum(wording.mark(language) in reviews for wording in everything), len(everything))
        for language in LANGUAGES
    }


def read_reviews(data: object) -> Mapping[str, Review]:
    """Read a pack's reviewed.json: hash → {"reviewer", "on"}.

    Raises:
        ValueError: it has another shape.
    """
    if not isinstance(data, Mapping):
        raise ValueError("reviewed.json: not an object")
    try:
        return {
            str(mark): Review(reviewer=str(entry["reviewer"]), on=date.fromisoformat(str(entry["on"])))
            for mark, entry in data.items()
        }
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"reviewed.json: {error}") from None


def write_reviews(reviews: Mapping[str, Review]) -> dict[str, dict[str, str]]:
    """Give the JSON of reviewed.json."""
    return {
        mark: {"reviewer": review.reviewer, "on": review.on.isoformat()} for mark, review in sorted(reviews.items())
    }
