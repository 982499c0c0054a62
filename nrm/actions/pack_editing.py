"""What every change of the country's data shares: one at a time, checked, and told with before and after.

The row keeps the hash that it was loaded with, so that the next load of the pack sees whose change it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.countries import Json, PackProblem
from nrm.countries.editing import Difference
from nrm.errors import Conflict, NotValid, Problem
from nrm.models import EventHead
from nrm.queries import packs
from nrm.queries.pack_entries import subject_id
from nrm.rules.texts import WrongValue, clean_text, holds_markup
from nrm.vocabulary import Language

SYSTEM_STREAM: Final = "system"
_LONGEST: Final = 4_000
_LONGEST_NAME: Final = 200
_PRIVATE: Final = frozenset({"email", "phone"})
"""Fields of which the history keeps only that they changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An entry after a change.

    Attributes:
        key: the key by which it is found.
        changed: how many values changed.
    """

    key: str
    changed: int


def hold_pack(work: Work) -> None:
    """Let nobody else change the country's data until the end of the transaction."""
    work.session.execute(select(EventHead.stream).where(EventHead.stream == SYSTEM_STREAM).with_for_update())


def must_be_seen(seen: str, stamp: str) -> None:
    """Stop a change that was made from another state than the present one.

    Args:
        seen: what the page showed (`nrm.queries.pack_entries`).
        stamp: the same of what is stored now.

    Raises:
        Conflict: "changed_since".
    """
    if seen != stamp:
        raise Conflict("changed_since")


def tell(work: Work, what: str, kind: str, key: str, found: Sequence[Difference]) -> Edited:
    """State what changed, and let every process read the country's data anew.

    Args:
        work: the transaction.
        what: kind of the event.
        kind: kind of the entry.
        key: its key.
        found: the differences; none records nothing.
    """
    if found:
        shown = [one for one in found if one.place not in _PRIVATE]
        work.record(
            what,
            stream=SYSTEM_STREAM,
            subject=(kind, subject_id(key)),
            data={
                "key": key,
                "what": [one.place for one in found],
                "places": [one.place for one in shown],
                "before": [one.before for one in shown],
                "after": [one.after for one in shown],
            },
        )
        packs.touch(work)
    return Edited(key=key, changed=len(found))


def cleaned(data: Mapping[str, Json]) -> dict[str, Json]:
    """Take texts as people typed them.

    Raises:
        NotValid: one holds signs that hide something, or is too long, by pointer.
    """
    problems: list[Problem] = []
    found = {name: _clean(value, f"/{name}", problems) for name, value in data.items()}
    if problems:
        raise NotValid(problems)
    return found


def _clean(value: Json, pointer: str, problems: list[Problem]) -> Json:
    if isinstance(value, dict):
        return {name: _clean(part, f"{pointer}/{name}", problems) for name, part in value.items()}
    if isinstance(value, list):
        return [_clean(part, f"{pointer}/{place}", problems) for place, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return clean_text(value, longest=_LONGEST, lines=True) or None
    except WrongValue as wrong:
        problems.append(Problem(pointer=pointer, code=wrong.code, params=wrong.params))
        return None


def refuse(problems: Iterable[PackProblem]) -> None:
    """Say as mistakes of a form what the reader of packs found.

    Raises:
        NotValid: there are some.
    """
    told = [Problem(pointer=one.pointer, code=one.code, params=one.params) for one in problems]
    if told:
        raise NotValid(told)


def read_names(names: Mapping[str, Json]) -> dict[str, str]:
    """Take what something is called as people typed it, in each of the languages.

    Args:
        names: language → text.

    Raises:
        NotValid: a language is missing or unknown, or a text is too long, hides something or holds markup.
    """
    known: dict[str, Json] = {language: names[language] for language in Language if language in names}
    clean = cleaned({"names": known})["names"]
    # Names stand inside sentences and cells: a line break in one is a slip.
    words = {
        language: " ".join(text.split())
        for language, text in (clean.items() if isinstance(clean, dict) else ())
        if isinstance(text, str)
    }
    problems = [
        Problem(pointer="/names", code="text_missing", params={"language": str(language)})
        for language in Language
        if language not in words
    ]
    unknown = [language[:20] for language in names if language not in set(Language)]
    problems += [Problem(pointer=f"/names/{language}", code="unknown_field") for language in unknown]
    if problems:
        raise NotValid(problems)
    refuse_bad_names(words)
    return words


def refuse_bad_names(names: Mapping[str, str]) -> None:
    """Stop names that are too long, or that hold markup, which other programs might show as such.

    Raises:
        NotValid: by pointer "/names/<language>".
    """
    long = {"longest": _LONGEST_NAME}
    problems = [
        Problem(pointer=f"/names/{language}", code="too_long", params=long)
        for language, text in names.items()
        if len(text) > _LONGEST_NAME
    ]
    problems += [
        Problem(pointer=f"/names/{language}", code="holds_markup")
        for language, text in names.items()
        if holds_markup(text)
    ]
    if problems:
        raise NotValid(problems)
