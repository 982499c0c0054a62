"""How a person is stored: what is sealed, and the keyed tokens by which people are found without opening a seal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from nrm.credentials import keyed_hash
from nrm.installation import installation
from nrm.models import IdentityDocument, Person
from nrm.rules.identity import NAME_PARTS, Paper, PersonData
from nrm.rules.matching import document_token
from nrm.rules.names import name_tokens, sound_tokens, split_name
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import BirthPrecision

Token = tuple[str, str]
"""Kind and keyed hash."""


def sealed_identity(person_id: str, data: PersonData) -> str:
    """Seal what is personal about a person."""
    value: Json = {
        "names": dict(data.names),
        "born": data.born,
        "phones": list(data.phones),
        "safe_contact": dict(data.safe_contact),
        "address": dict(data.address),
    }
    return seal(value, row=person_id, column="people.identity")


def opened(row: Person, papers: Iterable[IdentityDocument] = ()) -> PersonData:
    """Open a stored person.

    Args:
        row: the person's row.
        papers: the person's papers.
    """
    value = unseal(row.identity, row=row.id, column="people.identity")
    sealed = value if isinstance(value, dict) else {}
    phones = sealed.get("phones")
    return PersonData(
        names={key: str(text) for key, text in _object(sealed.get("names")).items()},
        born=str(sealed.get("born") or ""),
        precision=BirthPrecision(row.birth_precision),
        sex=row.sex,
        nationality=row.nationality,
        language=row.language,
        governorate=row.governorate,
        phones=tuple(str(phone) for phone in phones) if isinstance(phones, list) else (),
        safe_contact=_facts(sealed.get("safe_contact")),
        address=_facts(sealed.get("address")),
        papers=tuple(opened_paper(paper) for paper in papers),
    )


def opened_paper(row: IdentityDocument) -> Paper:
    """Open a stored paper."""
    number = unseal(row.number, row=row.id, column="identity_documents.number")
    return Paper(
        kind=row.kind,
        number=str(number or ""),
        status=row.status,
        issued_on=row.issued_on,
        expires_on=row.expires_on,
    )


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _facts(value: Json) -> dict[str, str | bool]:
    return {key: fact for key, fact in _object(value).items() if isinstance(fact, str | bool)}


def load_people(session: Session, ids: Collection[str]) -> dict[str, PersonData]:
    """Load and open people with their papers, in two statements.

    Args:
        session: the database session.
        ids: ids of people; those that do not exist are left out.
    """
    if not ids:
        return {}
    rows = session.scalars(select(Person).where(Person.id.in_(ids)).execution_options(populate_existing=True)).all()
    papers: dict[str, list[IdentityDocument]] = {}
    for paper in session.scalars(
        select(IdentityDocument).where(IdentityDocument.person_id.in_(ids)).order_by(IdentityDocument.id)
    ):
        papers.setdefault(paper.person_id, []).append(paper)
    return {row.id: opened(row, papers.get(row.id, ())) for row in rows}


def tokens_of(data: PersonData) -> frozenset[Token]:
    """Give the tokens by which a person is found."""
    written = [data.names[part] for part in NAME_PARTS if data.names.get(part)]
    latin = [data.names["latin"]] if data.names.get("latin") else []
    mothers = [data.names[key] for key in ("mother", "mother_latin") if data.names.get(key)]
    plain: dict[str, frozenset[str]] = {
        "name": name_tokens([*written, *latin]),
        "sound": sound_tokens([*written, *latin]),
        "pair": pair_tokens(" ".join(written)) | pair_tokens(" ".join(latin)),
        "mother": sound_tokens(mothers),
        "phone": frozenset(data.phones),
        "document": frozenset(number for paper in data.papers if len(number := document_token(paper.number)) >= 5),
    }
    return hashed(plain)


def hashed(plain: Mapping[str, Iterable[str]]) -> frozenset[Token]:
    """Key and hash tokens, by kind."""
    secret = installation().config.secret
    return frozenset(
        (kind, keyed_hash(secret, f"person:{kind}", text)) for kind, texts in plain.items() for text in texts
    )


def pair_tokens(name: str) -> frozenset[str]:
    """List the sounds of own and father's name together: few people share them, so a long list is searched fast.

    Args:
        name: names in order; one script.
    """
    units = split_name(name)[:2]
    if len(units) < 2:
        return frozenset()
    return frozenset(f"{own} {father}" for own in units[0].keys for father in units[1].keys)
