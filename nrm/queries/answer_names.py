"""What the ids in answers stand for, as far as the reader may know it; and how answers are written for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from nrm.actors import Actor
from nrm.db import db
from nrm.delivery.written import Hand
from nrm.errors import NotAllowed, NotFound
from nrm.queries import directory, packs
from nrm.queries.people import may_see
from nrm.queries.person_records import load_people
from nrm.queries.shown_names import full_name
from nrm.rules.forms import Field, Form

_KINDS: Final = frozenset({"person", "organisation", "service"})


def plain_hand(language: str, *, digits: str | None) -> Hand:
    """Say how this country writes days and numbers in a language; names are not among it.

    Args:
        language: ar, ckb or en.
        digits: latin or arab; None for the country's.
    """
    country = packs.pack().country
    return Hand(
        language=language,
        territory=str(country.get("iso") or ""),
        digits=digits or str(country.get("default_digits") or "latin"),
        zone=packs.pack().zone,
    )


def hand_for(
    actor: Actor, now: datetime, language: str, form: Form, answers: Mapping[str, object] | None, *, digits: str | None
) -> Hand:
    """Say how the answers of a form are written for a reader.

    Args:
        actor: who reads; a name that the actor may not know stays an id.
        now: the present moment.
        language: ar, ckb or en.
        form: the form.
        answers: its answers; None for a blank form.
        digits: latin or arab; None for the country's.
    """
    ids = dict(_ids(form.fields, answers or {}))
    names = {row_id: name for row_id, kind in ids.items() if (name := _name(actor, now, kind, row_id, language))}
    return replace(plain_hand(language, digits=digits), names=names)


def _ids(fields: tuple[Field, ...], answers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for item in fields:
        answer = answers.get(item.name)
        if item.type == "group":
            yield from _ids(item.fields, answers)
        elif item.type == "repeat" and isinstance(answer, list):
            for entry in answer:
                yield from _ids(item.fields, entry if isinstance(entry, Mapping) else {})
        elif item.type in _KINDS and isinstance(answer, str):
            yield answer, item.type


def _name(actor: Actor, now: datetime, kind: str, row_id: str, language: str) -> str:
    try:
        if kind == "organisation":
            return directory.organisation(actor, row_id).names.get(language, "")
        if kind == "service":
            return directory.service(actor, row_id).names.get(language, "")
    except (NotFound, NotAllowed):
        return ""
    if not may_see(actor, row_id, now):
        return ""
    person = load_people(db.session(), [row_id]).get(row_id)
    return full_name({"names": dict(person.names)}) if person else ""
