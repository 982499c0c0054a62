"""Change what is recorded of a person: names, facts, how to reach the person, papers; side by side after a conflict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flask import Response
from werkzeug.datastructures import MultiDict

from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.pages.people import choices
from api.pages.person_form import CONTACT, FACTS, NAMES, PHONES, told
from nrm.actions import people as actions
from nrm.actions.reading import note_read
from nrm.errors import NotAllowed, NotFound, NotValid, StaleVersion
from nrm.queries import people
from nrm.queries.people import PersonView
from nrm.vocabulary import BirthPrecision, ReadPurpose

person_edit = Pages("person_edit")

_PAPER: Final = ("paper_kind", "paper_number", "paper_status", "issued_on", "expires_on")
STATES: Final = ("held", "lost", "expired", "applied", "refused")
"""How an identity paper stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A field that is stored otherwise than it was typed.

    Attributes:
        name: code of the field.
        typed: what the visitor typed.
        stored: what is stored by now.
    """

    name: str
    typed: str
    stored: str


@person_edit.get("/people/<person_id>/edit", permission="person.edit")
def edit_form(visit: Visit, person_id: str) -> Answer:
    """Show the form with what is recorded; telephones and address stay covered until somebody asks for them."""
    found = _editable(visit, person_id)
    return _page(visit, found, stored(found), uncovered=False)


@person_edit.post("/people/<person_id>/edit/contact", permission="person.edit")
def uncover_contact(visit: Visit, person_id: str) -> Answer:
    """Show the form with telephones and address, and what was typed so far; that they were read is recorded."""
    found = _editable(visit, person_id)
    note_read(visit.actor, "person", person_id, purpose=str(ReadPurpose.CONTACT))
    given = {**stored(found), **{name: visit.text(name) for name in (*NAMES, *FACTS) if name in visit.form}}
    return _page(visit, found, given, uncovered=True)


def _editable(visit: Visit, person_id: str) -> PersonView:
    found = people.person(visit.actor, person_id, visit.now)
    if not people.may_see(visit.actor, person_id, visit.now, writing=True):
        raise NotAllowed("read_only_access")
    return found


def stored(found: PersonView) -> dict[str, str]:
    """Give what is recorded, by the names of the form's fields."""
    data = found.data
    said: dict[str, str] = {name: data.names.get(name, "") for name in NAMES}
    said |= {name: str(getattr(data, name) or "") for name in FACTS}
    said["estimated"] = "1" if data.precision == BirthPrecision.ESTIMATED else ""
    said |= dict(zip(PHONES, (*data.phones, "", ""), strict=False))
    said |= {f"safe_{name}": str(data.safe_contact.get(name) or "") for name in ("channel", "note")}
    return said | {f"address_{name}": str(data.address.get(name) or "") for name in ("district", "line")}


def _page(
    visit: Visit,
    found: PersonView,
    given: Mapping[str, str],
    *,
    uncovered: bool,
    problems: Told = (),
    beside: tuple[Beside, ...] = (),
) -> Response:
    return visit.show(
        "people/edit.html",
        status=422 if problems else 409 if beside else 200,
        person=found,
        given=MultiDict(given),
        uncovered=uncovered,
        has_contact=bool(found.data.phones or found.data.address),
        problems=problems,
        beside=beside,
        **choices(visit),
    )


@person_edit.post("/people/<person_id>/edit", permission="person.edit")
def save(visit: Visit, person_id: str) -> Answer:
    """Save what was changed; what a colleague saved meanwhile is shown beside it, and nothing is lost."""
    found = _editable(visit, person_id)
    uncovered = visit.form.get("uncovered") == "1"
    names = (*NAMES, *FACTS, "estimated", "safe_channel", "safe_note", *(CONTACT if uncovered else ()))
    typed = {name: visit.text(name) for name in names}
    try:
        actions.change_person(visit.actor, person_id, changes(typed, found), version=visit.version())
    except NotValid as error:
        return _page(visit, found, typed, uncovered=uncovered, problems=told(visit, error))
    except StaleVersion:
        fresh = people.person(visit.actor, person_id, visit.now)
        beside = tuple(_beside(visit, typed, stored(fresh)))
        return _page(visit, fresh, typed, uncovered=uncovered, beside=beside)
    return see(f"/people/{person_id}?done=changed")


def changes(typed: Mapping[str, str], found: PersonView) -> dict[str, object]:
    """Give what was typed as `nrm.actions.people.change_person` takes it.

    Args:
        typed: the fields of the form; without the telephones where they stayed covered.
        found: the person as it is stored; a third telephone that the form does not show stays.
    """
    said: dict[str, object] = {"names": {name: typed[name] or None for name in NAMES}}
    said |= {name: typed[name] or None for name in FACTS}
    if typed["estimated"] and typed["born"]:
        said["birth_precision"] = "estimated"
    said["safe_contact"] = {name: typed[f"safe_{name}"] or None for name in ("channel", "note")}
    if PHONES[0] in typed:
        shown = [typed[name] for name in PHONES if typed[name]]
        said["phones"] = [*shown, *found.data.phones[len(PHONES) :]]
        said["address"] = {name: typed[f"address_{name}"] or None for name in ("district", "line")}
    return said


def _beside(visit: Visit, typed: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Beside]:
    """Give the fields in which both differ; where nothing does, the first, so that the page can say so."""
    words = choices(visit)
    say = {"sex": "sex", "nationality": "nationality", "language": "language", "safe_channel": "contact_channel"}

    def said(name: str, value: str) -> str:
        if name == "estimated":
            return visit.words.t("consents.yes" if value else "consents.no")
        if name == "governorate":
            return str(words["place"](value))
        return str(words["label"](say[name], value)) if name in say and value else value

    differ = [name for name in typed if typed[name] != now.get(name, "")]
    for name in differ or [NAMES[0]]:
        yield Beside(name=name, typed=said(name, typed[name]), stored=said(name, now.get(name, "")))


@person_edit.get("/people/<person_id>/papers/<paper_id>", permission="person.edit")
def paper_form(visit: Visit, person_id: str, paper_id: str) -> Answer:
    """Show the form of one identity paper; its number stays covered, an empty field leaves it."""
    return _paper_page(visit, person_id, paper_id)


def _paper_page(visit: Visit, person_id: str, paper_id: str, *, problems: Told = ()) -> Response:
    found = _editable(visit, person_id)
    one = next((paper for paper in found.papers if paper.id == paper_id), None)
    if one is None:
        raise NotFound
    kept = {
        "paper_kind": one.kind,
        "paper_status": one.status,
        "issued_on": one.issued_on.isoformat() if one.issued_on else "",
        "expires_on": one.expires_on.isoformat() if one.expires_on else "",
    }
    return visit.show(
        "people/paper.html",
        status=422 if problems else 200,
        person=found,
        one=one,
        given=MultiDict({name: visit.text(name) for name in _PAPER} if problems else kept),
        states=tuple((code, visit.words.t(f"people.paper_{code}")) for code in STATES),
        problems=problems,
        **choices(visit),
    )


@person_edit.post("/people/<person_id>/papers/<paper_id>", permission="person.edit")
def change_paper(visit: Visit, person_id: str, paper_id: str) -> Answer:
    """Change an identity paper: lost, found again, expired, or its number corrected."""
    found = _editable(visit, person_id)
    if all(paper.id != paper_id for paper in found.papers):
        raise NotFound
    said: dict[str, object] = {
        "kind": visit.text("paper_kind"),
        "status": visit.text("paper_status"),
        "issued_on": visit.text("issued_on") or None,
        "expires_on": visit.text("expires_on") or None,
    }
    if visit.text("paper_number"):
        said["number"] = visit.text("paper_number")
    try:
        actions.change_paper(visit.actor, paper_id, said)
    except NotValid as error:
        return _paper_page(visit, person_id, paper_id, problems=told(visit, error))
    return see(f"/people/{person_id}?done=paper_changed#papers")
