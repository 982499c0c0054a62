"""The returnee of a referral, field by field: what was disclosed, and of that what this asker may see here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from nrm.db import db
from nrm.installation import installation
from nrm.models import Case, Person
from nrm.queries.person_records import load_people
from nrm.queries.shown_names import full_name
from nrm.rules.redaction import pseudonym
from nrm.sealing import unseal

LARGEST_HOUSEHOLD: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPaper:
    """An identity paper."""

    kind: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRelative:
    """Somebody of the returnee's household, without a name: consent is each person's own."""

    role: str | None
    sex: str | None
    age: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The returnee of a referral; null where a field was not shared, is not known, or may not be shown here.

    Attributes:
        ref: a code that stands for the returnee; the same in all referrals of a case.
        born: date, month or year, as far as it is known.
        age: in years, from the year of birth.
        safe_contact: how the returnee may be reached without harm; to be read before any call.
        household: the others of the household.
        vulnerabilities: codes of protection concerns.
    """

    ref: str
    names: str | None = None
    latin: str | None = None
    mother: str | None = None
    born: str | None = None
    age: int | None = None
    sex: str | None = None
    nationality: str | None = None
    language: str | None = None
    governorate: str | None = None
    phones: tuple[str, ...] | None = None
    safe_contact: Mapping[str, str | bool] | None = None
    address: Mapping[str, str | bool] | None = None
    documents: tuple[ShownPaper, ...] | None = None
    household: tuple[ShownRelative, ...] | None = None
    return_type: str | None = None
    host_country: str | None = None
    vulnerabilities: tuple[str, ...] | None = None


def reference(case_id: str) -> str:
    """Give the code that stands for the person of a case."""
    return pseudonym(case_id, installation().config.secret.encode())


def subject_of(case: Case, shown: Collection[str], now: datetime) -> Subject:
    """Open the fields of a case's person that may be shown.

    Args:
        case: the case.
        shown: names of fields (`nrm.rules.redaction.FIELD_CATEGORIES`).
        now: the present moment, for ages.
    """
    ref = reference(case.id)
    if not {name for name in Subject.__dataclass_fields__ if name != "ref"} & set(shown):
        return Subject(ref=ref)
    values = {**_personal(case, now), **_of_case(case)}
    if "household" in shown:
        values["household"] = _household(case.person_id, now)
    return Subject(ref=ref, **{name: value for name, value in values.items() if name in shown and value})  # type: ignore[arg-type]


def _personal(case: Case, now: datetime) -> dict[str, object]:
    person = load_people(db.session(), [case.person_id]).get(case.person_id)
    if person is None:
        return {}
    return {
        "names": full_name({"names": dict(person.names)}),
        "latin": person.names.get("latin"),
        "mother": person.names.get("mother"),
        "born": person.born,
        "age": now.year - person.birth_year if person.birth_year else None,
        "sex": person.sex,
        "nationality": person.nationality,
        "language": person.language,
        "governorate": person.governorate,
        "phones": tuple(person.phones),
        "safe_contact": dict(person.safe_contact),
        "address": dict(person.address),
        "documents": tuple(ShownPaper(kind=paper.kind, number=paper.number) for paper in person.papers),
    }


def _of_case(case: Case) -> dict[str, object]:
    flags = unseal(case.vulnerabilities, row=case.id, column="cases.vulnerabilities")
    return {
        "return_type": case.return_type,
        "host_country": case.host_country,
        "vulnerabilities": tuple(str(flag) for flag in flags) if isinstance(flags, list) else None,
    }


def _household(person_id: str, now: datetime) -> tuple[ShownRelative, ...] | None:
    mine = select(Person.household_id).where(Person.id == person_id).scalar_subquery()
    rows = db.session.execute(
        select(Person.household_role, Person.sex, Person.birth_year)
        .where(Person.household_id == mine, Person.id != person_id, Person.merged_into_id.is_(None))
        .order_by(Person.created_at, Person.id)
        .limit(LARGEST_HOUSEHOLD)
    )
    found = (ShownRelative(role=role, sex=sex, age=now.year - born if born else None) for role, sex, born in rows)
    return tuple(found) or None
