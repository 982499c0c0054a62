"""People: register, change, papers, households, as far as the actor may know of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update

from nrm import ids
from nrm.actions._action import Row, Work, action
from nrm.actors import Actor
from nrm.errors import Conflict, NotAllowed, NotFound, NotValid, Problem
from nrm.events import Data
from nrm.installation import installation
from nrm.models import Household, IdentityDocument, Person, PersonToken
from nrm.queries import packs, people
from nrm.queries.people import Criteria, FoundPerson
from nrm.queries.person_records import load_people, opened_paper, sealed_identity, tokens_of
from nrm.rules.answer_types import clean_phone
from nrm.rules.identity import Country, Paper, PersonData, read_born, read_person
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import seal


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonResult:
    """A person after a change."""

    id: str
    version: int


class PossibleDuplicate(Conflict):
    """Somebody very like this is registered; `found` are cards that the actor may see."""

    code = "possible_duplicate"

    def __init__(self, found: Sequence[FoundPerson]) -> None:
        """Keep the cards.

        Args:
            found: at least one, the likeliest first.
        """
        super().__init__(count=len(found))
        self.found = tuple(found)


def country() -> Country:
    """Give what reading a person's data needs to know of the country."""
    data = packs.pack()
    today = installation().clock.now().astimezone(data.zone).date()
    return Country(
        code_lists={name: data.codes_of(name) for name in data.codes},
        places=frozenset(place.key for place in data.places.values() if place.parent is None),
        region=data.answer_setting.region,
        today=today,
    )


def read_criteria(data: Mapping[str, object]) -> Criteria:
    """Check what somebody looks for.

    Args:
        data: some of "name", "mother", "born", "phone", "document", "governorate", "sex", as typed.

    Raises:
        NotValid: a part cannot be read, or there is nothing to search by ("nothing_to_search").
    """
    known = country()
    problems: list[Problem] = []
    texts = {}
    for name in ("name", "mother", "document"):
        try:
            texts[name] = clean_text(data.get(name) or "", longest=200)
        except WrongValue as wrong:
            problems.append(Problem(pointer=f"/{name}", code=wrong.code, params=wrong.params))
    sought = {"names": {"own": "-"}} | {key: data[key] for key in ("born", "governorate", "sex") if data.get(key)}
    phone = data.get("phone")
    try:
        read = read_person({**sought, "phones": [phone] if phone else []}, known)
    except NotValid as wrong_parts:
        problems += [
            replace(problem, pointer="/phone" if problem.pointer == "/phones/0" else problem.pointer)
            for problem in wrong_parts.problems
        ]
        raise NotValid(problems) from None
    criteria = Criteria(
        **texts,
        born=read.birth_date,
        precision=read.precision,
        phone=read.phones[0] if read.phones else "",
        governorate=read.governorate,
        sex=read.sex,
    )
    if not problems and criteria.is_empty:
        problems.append(Problem(pointer="", code="nothing_to_search"))
    if problems:
        raise NotValid(problems)
    return criteria


@action("person.search", permission="person.search")
def find_people(work: Work, criteria: Criteria, *, limit: int = 20) -> tuple[FoundPerson, ...]:
    """Find people before one is registered; that somebody searched is recorded, not for whom.

    Args:
        work: the transaction.
        criteria: from `read_criteria`.
        limit: most answers, 1 to 50.
    """
    found = people.find_people(work.actor, criteria, work.now, limit=limit)
    asked = [name for name in ("name", "phone", "document") if getattr(criteria, name)]
    data: Data = {"found": len(found), "masked": sum(card.masked for card in found), "by": asked}
    work.record("record.read", stream=_own_stream(work.actor), subject=("search", work.actor.id), data=data)
    return found


def _own_stream(actor: Actor) -> str:
    return actor.id if actor.id.startswith(("usr_", "key_")) else "system"


def register_person(
    actor: Actor, data: object, *, known: Collection[str] = (), household_id: str | None = None
) -> PersonResult:
    """Register a person after searching.

    Args:
        actor: needs the permission person.register.
        data: as `nrm.rules.identity.read_person` reads it.
        known: ids of people whom the actor has looked at and who are somebody else.
        household_id: the household that the person belongs to.

    Raises:
        NotValid: something is wrong, by pointer.
        PossibleDuplicate: somebody very like this is registered and not among `known`.
        NotAllowed: the actor may not register people.
    """
    return _register(actor, read_person(data, country()), frozenset(known), household_id)


@action("person.register", permission="person.register")
def _register(work: Work, data: PersonData, known: frozenset[str], household_id: str | None) -> PersonResult:
    matches = people.matches_among(work.session, {"": data}).get("", [])
    likely = [(other, found) for other, found in matches if found.verdict() == "likely" and other not in known]
    if likely:
        data_of = load_people(work.session, [other for other, _ in likely])
        cards = people.cards_of(work.actor, [(other, data_of[other], found) for other, found in likely], work.now)
        # One who may not even be known of does not stop a registration: the refusal would give the secret away.
        if cards:
            raise PossibleDuplicate(cards)
    if household_id is not None:
        _visible_household(work, household_id)
    return PersonResult(id=add_person(work, data, household_id=household_id), version=1)


def add_person(work: Work, data: PersonData, *, household_id: str | None = None) -> str:
    """Store a new person inside another action, and give the id.

    Args:
        work: the transaction.
        data: checked data; duplicates are the caller's business.
        household_id: the household that the person belongs to.
    """
    person_id = ids.new_id("per")
    work.add(
        Person,
        id=person_id,
        **_columns(person_id, data),
        household_id=household_id,
        created_at=work.now,
        updated_at=work.now,
    )
    for paper in data.papers:
        _add_paper(work, person_id, paper)
    for kind, token in sorted(tokens_of(data)):
        work.add(PersonToken, person_id=person_id, kind=kind, token=token)
    work.record("person.registered", stream=person_id, subject=("person", person_id))
    return person_id


def _columns(person_id: str, data: PersonData) -> Row:
    return {
        "identity": sealed_identity(person_id, data),
        "sex": data.sex,
        "birth_year": data.birth_year,
        "birth_precision": data.precision,
        "nationality": data.nationality,
        "language": data.language,
        "governorate": data.governorate,
    }


def _add_paper(work: Work, person_id: str, paper: Paper) -> str:
    paper_id = ids.new_id("idd")
    number = seal(paper.number, row=paper_id, column="identity_documents.number") if paper.number else None
    return work.add(
        IdentityDocument,
        id=paper_id,
        person_id=person_id,
        kind=paper.kind,
        number=number,
        status=paper.status,
        issued_on=paper.issued_on,
        expires_on=paper.expires_on,
        created_at=work.now,
    )


def load_person(work: Work, person_id: str, *, version: int | None = None) -> Person:
    """Load a person whom the actor may change, and keep others from changing it until the end.

    Raises:
        NotFound: no such person, one that was joined to another, or not the actor's to know of.
        NotAllowed: the actor may only read.
        StaleVersion: the stored version is another one.
    """
    row = work.session.execute(
        select(Person).where(Person.id == person_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None or row.merged_into_id is not None:
        raise NotFound
    if not people.may_see(work.actor, person_id, work.now):
        raise NotFound
    if not people.may_see(work.actor, person_id, work.now, writing=True):
        raise NotAllowed("read_only_access")
    if version is not None and version != row.version:
        work.change(Person, person_id, version=version)
    return row


def _store(work: Work, row: Person, data: PersonData, *, stream: str, what: Sequence[str]) -> PersonResult:
    """Write changed data and bring the tokens in line; papers have rows of their own."""
    version = row.version
    work.change(Person, row.id, version=version, updated_at=work.now, **_columns(row.id, data))
    renew_tokens(work, row.id)
    work.record("person.changed", stream=stream, subject=("person", row.id), data={"what": list(what)})
    return PersonResult(id=row.id, version=version + 1)


def renew_tokens(work: Work, person_id: str) -> None:
    """Make a person's tokens anew, with those of the records that were joined to it."""
    work.flush()
    data = load_people(work.session, _with_joined(work, person_id))
    wanted = frozenset().union(*(tokens_of(entry) for entry in data.values()))
    mine = PersonToken.person_id == person_id
    held = {
        (kind, token) for kind, token in work.session.execute(select(PersonToken.kind, PersonToken.token).where(mine))
    }
    for kind, token in held - wanted:
        work.session.execute(delete(PersonToken).where(mine, PersonToken.kind == kind, PersonToken.token == token))
    for kind, token in sorted(wanted - held):
        work.add(PersonToken, person_id=person_id, kind=kind, token=token)


def _with_joined(work: Work, person_id: str) -> list[str]:
    found, new = [person_id], [person_id]
    while new:
        new = list(work.session.scalars(select(Person.id).where(Person.merged_into_id.in_(new))))
        found += new
    return found


@action("person.change", permission="person.edit")
def change_person(work: Work, person_id: str, changes: Mapping[str, object], *, version: int | None) -> PersonResult:
    """Change what is recorded of a person.

    Args:
        work: the transaction.
        person_id: the person.
        changes: members of what `register_person` takes, without "documents"; null takes one away. "names",
            "safe_contact" and "address" are merged member by member (RFC 7396).
        version: the version that the actor saw.

    Raises:
        NotFound: no such person, or not the actor's to know of.
        NotAllowed: the actor may only read the case.
        NotValid: something is wrong, by pointer.
        StaleVersion: it was changed since.
    """
    row = load_person(work, person_id, version=version)
    if "documents" in changes:
        raise NotValid([Problem(pointer="/documents", code="unknown_field")])
    present = load_people(work.session, [person_id])[person_id]
    merged = _merged(_as_entered(present), changes)
    data = read_person(merged, country())
    return _store(work, row, replace(data, papers=present.papers), stream=person_id, what=sorted(changes))


def _as_entered(data: PersonData) -> dict[str, object]:
    entered: dict[str, object] = {
        "names": dict(data.names),
        "born": data.born,
        "birth_precision": str(data.precision),
        "phones": list(data.phones),
        "safe_contact": dict(data.safe_contact),
        "address": dict(data.address),
    }
    for name in ("sex", "nationality", "language", "governorate"):
        entered[name] = getattr(data, name)
    return entered


def _merged(present: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    merged = dict(present)
    if "born" in changes and "birth_precision" not in changes:
        merged.pop("birth_precision", None)
    for name, value in changes.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(old, value)
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def change_identity(
    work: Work,
    person_id: str,
    *,
    names: Mapping[str, str],
    born: str | None,
    phones: Sequence[str] | None,
    facts: Mapping[str, str],
    stream: str,
) -> None:
    """Write what a form said about a person, inside another action; parts that cannot be read change nothing.

    Args:
        work: the transaction, which holds the lock of the person's case.
        person_id: the person.
        names: parts of the name that the form gave.
        born: birth date; None when the form did not ask.
        phones: telephone numbers; None when the form did not ask.
        facts: sex, language, nationality, governorate, those that the form gave.
        stream: the event's stream: the case.
    """
    row = work.session.execute(
        select(Person).where(Person.id == person_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    present = load_people(work.session, [person_id])[person_id]
    data = _with_answers(present, names, born, phones, facts)
    what = [name for name in PersonData.__slots__ if getattr(data, name) != getattr(present, name)]
    if what:
        _store(work, row, data, stream=stream, what=what)


def _with_answers(
    present: PersonData,
    names: Mapping[str, str],
    born: str | None,
    phones: Sequence[str] | None,
    facts: Mapping[str, str],
) -> PersonData:
    known = country()
    changes: dict[str, object] = {"names": {**present.names, **names}}
    if born:
        try:
            changes["born"], changes["precision"] = read_born(born[:10], today=known.today)
        except WrongValue:
            changes["precision"] = present.precision
    if phones is not None:
        kept = [phone for text in phones if (phone := _phone(text, known.region))]
        changes["phones"] = tuple(dict.fromkeys(kept)) or present.phones
    if facts.get("sex") in {"female", "male", "other", "unknown"}:
        changes["sex"] = facts["sex"]
    if facts.get("governorate") in known.places:
        changes["governorate"] = facts["governorate"]
    for name in ("language", "nationality"):
        if facts.get(name) in known.code_lists.get(name, ()):
            changes[name] = facts[name]
    return replace(present, **changes)  # type: ignore[arg-type]  # members of the right types


def _phone(text: str, region: str | None) -> str | None:
    try:
        return clean_phone(text, region)
    except WrongValue:
        return None


@action("person.add_paper", permission="person.edit")
def add_paper(work: Work, person_id: str, data: Mapping[str, object]) -> str:
    """Record an identity paper, and give its id.

    Args:
        work: the transaction.
        person_id: the person.
        data: {"kind", "number", "status", "issued_on", "expires_on"}.

    Raises:
        NotFound: no such person, or not the actor's to know of.
        NotValid: something is wrong, by pointer.
    """
    row = load_person(work, person_id)
    paper_id = _add_paper(work, person_id, _read_paper(data))
    _paper_changed(work, row)
    return paper_id


@action("person.change_paper", permission="person.edit")
def change_paper(work: Work, paper_id: str, changes: Mapping[str, object]) -> None:
    """Change an identity paper: found again, lost, expired, or a number corrected.

    Args:
        work: the transaction.
        paper_id: the paper.
        changes: members of what `add_paper` takes; null takes one away.

    Raises:
        NotFound: no such paper, or not the actor's to know of.
        NotValid: something is wrong, by pointer.
    """
    paper = work.session.get(IdentityDocument, paper_id, populate_existing=True)
    if paper is None:
        raise NotFound
    row = load_person(work, paper.person_id)
    present = opened_paper(paper)
    entered: dict[str, object] = {
        "kind": present.kind,
        "number": present.number or None,
        "status": present.status,
        "issued_on": present.issued_on.isoformat() if present.issued_on else None,
        "expires_on": present.expires_on.isoformat() if present.expires_on else None,
    }
    changed = _read_paper({name: value for name, value in {**entered, **changes}.items() if value is not None})
    number = seal(changed.number, row=paper_id, column="identity_documents.number") if changed.number else None
    work.session.execute(
        update(IdentityDocument)
        .where(IdentityDocument.id == paper_id)
        .values(
            kind=changed.kind,
            number=number,
            status=changed.status,
            issued_on=changed.issued_on,
            expires_on=changed.expires_on,
        )
    )
    _paper_changed(work, row)


def _read_paper(data: Mapping[str, object]) -> Paper:
    try:
        return read_person({"names": {"own": "-"}, "documents": [dict(data)]}, country()).papers[0]
    except NotValid as wrong:
        problems = [replace(entry, pointer=entry.pointer.removeprefix("/documents/0")) for entry in wrong.problems]
        raise NotValid(problems) from None


def _paper_changed(work: Work, row: Person) -> None:
    work.change(Person, row.id, version=row.version, updated_at=work.now)
    renew_tokens(work, row.id)
    work.record("person.changed", stream=row.id, subject=("person", row.id), data={"what": ["documents"]})


@action("household.make", permission="person.edit")
def make_household(work: Work, members: Mapping[str, str | None]) -> str:
    """Put people together as a household, and give its id; consent stays with each of them.

    Args:
        work: the transaction.
        members: person → role in the household (code of "household_role") or None.

    Raises:
        NotFound: a person is not the actor's to know of.
        NotValid: no member, or an unknown role.
    """
    if not members:
        raise NotValid([Problem(pointer="/members", code="required")])
    household_id = work.add(Household, id=ids.new_id("hh"), created_at=work.now)
    work.flush()
    for person_id, role in sorted(members.items()):
        _seat_in_household(work, person_id, household_id, role)
    return household_id


@action("household.join", permission="person.edit")
def join_household(work: Work, person_id: str, household_id: str | None, *, role: str | None = None) -> PersonResult:
    """Put a person into a household, or out of it.

    Args:
        work: the transaction.
        person_id: the person.
        household_id: None takes the person out.
        role: code of "household_role".

    Raises:
        NotFound: the person or every member of the household is not the actor's to know of.
        NotValid: an unknown role.
    """
    if household_id is not None:
        _visible_household(work, household_id)
    return _seat_in_household(work, person_id, household_id, role)


def _visible_household(work: Work, household_id: str) -> None:
    people.household(work.actor, household_id, work.now)


def _seat_in_household(work: Work, person_id: str, household_id: str | None, role: str | None) -> PersonResult:
    if role is not None and role not in packs.pack().codes_of("household_role"):
        raise NotValid([Problem(pointer="/role", code="not_a_choice")])
    row = load_person(work, person_id)
    work.change(
        Person,
        person_id,
        version=row.version,
        household_id=household_id,
        household_role=role if household_id else None,
        updated_at=work.now,
    )
    work.record("person.changed", stream=person_id, subject=("person", person_id), data={"what": ["household"]})
    return PersonResult(id=person_id, version=row.version + 1)
