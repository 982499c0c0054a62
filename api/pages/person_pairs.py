"""Two records that may be one person: side by side, joined by those who may, and taken apart again."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.codes import label, place
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.person import cover
from nrm import ids
from nrm.actions import person_merging as actions
from nrm.actions.reading import note_read
from nrm.errors import NotFound
from nrm.queries import cases, people
from nrm.queries.people import PersonView
from nrm.rules.identity import NAME_PARTS, OTHER_NAMES

person_pairs = Pages("person_pairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact of two records.

    Attributes:
        text: key of the fact's name.
        one: as the first has it, in words; covered where it is a number by which somebody is reached or known.
        two: as the second has it.
        differs: both have it, and not the same.
    """

    text: str
    one: str
    two: str
    differs: bool


@person_pairs.get("/people/<person_id>/beside/<other_id>")
def beside(visit: Visit, person_id: str, other_id: str) -> Answer:
    """Show two records side by side; that both were read is recorded."""
    one, two = (people.person(visit.actor, key, visit.now) for key in (person_id, other_id))
    if one.id == two.id:
        raise NotFound
    for view in (one, two):
        note_read(visit.actor, "person", view.id)
    both_open = all(any(_is_open(visit, key) for key in view.case_ids) for view in (one, two))
    return visit.show("people/beside.html", one=one, two=two, lines=_lines(visit, one, two), both_open=both_open)


def _is_open(visit: Visit, case_id: str) -> bool:
    return cases.case(visit.actor, visit.now, case_id).status == "open"


def _lines(visit: Visit, one: PersonView, two: PersonView) -> tuple[Line, ...]:
    lines = [
        _line(part, one.data.names.get(part, ""), two.data.names.get(part, "")) for part in (*NAME_PARTS, *OTHER_NAMES)
    ]
    lines.append(_line("born", one.data.born, two.data.born))
    for name in ("sex", "nationality", "language"):
        lines.append(_line(name, *(label(visit, name, getattr(view.data, name)) for view in (one, two))))
    lines.append(_line("governorate", *(place(visit, view.data.governorate) for view in (one, two))))
    phones = [sorted(view.data.phones) for view in (one, two)]
    papers = [sorted(paper.number for paper in view.papers if paper.number) for view in (one, two)]
    for name, (first, second) in (("phones", phones), ("paper_numbers", papers)):
        shown = (", ".join(cover(number) for number in numbers) for numbers in (first, second))
        lines.append(_line(name, *shown, differs=bool(first and second) and not set(first) & set(second)))
    return tuple(line for line in lines if line.one or line.two)


def _line(text: str, one: str, two: str, *, differs: bool | None = None) -> Line:
    return Line(text=text, one=one, two=two, differs=bool(one and two and one != two) if differs is None else differs)


@person_pairs.post("/people/<person_id>/merge", permission="person.merge")
def merge(visit: Visit, person_id: str) -> Answer:
    """Join another record into this one."""
    actions.merge_people(visit.actor, person_id, _other(visit), version=visit.version())
    return see(f"/people/{person_id}?done=joined")


@person_pairs.post("/people/<person_id>/unmerge", permission="person.merge")
def unmerge(visit: Visit, person_id: str) -> Answer:
    """Take a record that was joined into this one out again."""
    actions.unmerge_people(visit.actor, _other(visit))
    return see(f"/people/{person_id}?done=apart")


def _other(visit: Visit) -> str:
    other = visit.text("other")
    if not ids.is_id(other, "per"):
        raise NotFound
    return other
