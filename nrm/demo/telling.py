"""Tell one story: the right person at the right desk does each step, and time passes in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from nrm.actions import cases, people, referrals, tasks
from nrm.actions.referral_changes import Given
from nrm.actors import Actor
from nrm.clock import FixedClock
from nrm.db import db
from nrm.demo.stories import BadStory, Demo, Step, Story, filled, length, merged, of_person
from nrm.demo.time_travel import pass_time
from nrm.models import Desk, Organisation, PlanService, Referral, Run, Service, Task, User
from nrm.queries import packs
from nrm.queries.users import actor_of_user
from nrm.rules.statuses import TERMINAL
from nrm.sealing import Json

_DAYS: Final = frozenset({"until", "review_on", "started_on", "expected_start", "expected_end", "delivered_on"})
"""Fields of a referral's verbs that are dates."""


class Cast:
    """Who plays in the stories: users by desk, services and organisations by code, people by story."""

    def __init__(self, demo: Demo) -> None:
        """Look up the ids behind the demonstration's names."""
        self.demo = demo
        session = db.session()
        users = {login: user_id for user_id, login in session.execute(select(User.id, User.login))}
        desks = session.execute(select(Desk.id, Desk.code)).all()
        self.desk_ids = {code: desk_id for desk_id, code in desks}
        self.users = {desk_id: users[demo.desk_users[code].login] for desk_id, code in desks if code in demo.desk_users}
        self.services: dict[str, str] = {code: row for row, code in session.execute(select(Service.id, Service.code))}
        self.organisations: dict[str, str] = {
            code: row for row, code in session.execute(select(Organisation.id, Organisation.code))
        }
        self.people: dict[str, str] = {}
        session.close()

    def at(self, desk_id: str | None, now: datetime) -> Actor:
        """Give who sits at a desk.

        Raises:
            BadStory: nobody of the demonstration does.
        """
        if desk_id not in self.users:
            code = next((code for code, found in self.desk_ids.items() if found == desk_id), desk_id)
            raise BadStory(f"nobody sits at the desk {code}")
        return actor_of_user(self.users[desk_id], now)


@dataclass(slots=True)
class Telling:
    """A story in progress."""

    cast: Cast
    story: Story
    clock: FixedClock
    case_id: str = ""
    person: Mapping[str, Json] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The story's present moment."""
        return self.clock.at

    def owner(self) -> Actor:
        """Give the case handler of the case's desk."""
        place = str(self.story.case["governorate"])
        desk = packs.pack().find_desk("case_handler", governorate=place)
        return self.cast.at(desk.id if desk else None, self.now)

    def find(self, kind: str, name: str) -> Json:
        """Give the value of a mark of the story.

        Raises:
            BadStory: there is no such mark, service or organisation.
        """
        today = self.now.astimezone(packs.pack().zone).date()
        if kind == "day":
            return (today + timedelta(days=int(name or 0))).isoformat()
        if kind == "moment":
            return self.now.isoformat()
        if kind == "person":
            return of_person(self.person, name)
        if kind == "case":
            return self.story.case.get(name)
        known = {"service": self.cast.services, "organisation": self.cast.organisations}.get(kind, {})
        if name not in known:
            raise BadStory(f"{self.story.key}: ${kind}:{name} is unknown")
        return known[name]

    def fill(self, value: Json) -> Json:
        """Put values in the place of marks."""
        return filled(value, self.find)


def tell(cast: Cast, story: Story, clock: FixedClock, present: datetime) -> str:
    """Tell a story from its beginning until the present.

    Args:
        cast: who plays.
        story: what happens.
        clock: the installation's clock, at the story's beginning.
        present: where the story ends.

    Returns:
        Id of its case.

    Raises:
        BadStory: a step does not fit what has happened so far.
    """
    telling = Telling(cast, story, clock)
    _open(telling)
    for place, step in enumerate(story.steps):
        verb = next((name for name in _VERBS if name in step), None)
        if verb is None:
            raise BadStory(f"{story.key}: step {place + 1} has no verb")
        _VERBS[verb](telling, step)
    pass_time(clock, present)
    return telling.case_id


def _open(telling: Telling) -> None:
    story, cast = telling.story, telling.cast
    person = telling.fill(dict(story.person))
    telling.person = person if isinstance(person, dict) else {}
    actor = telling.owner()
    known = [cast.people[key] for key in story.known if key in cast.people]
    person_id = people.register_person(actor, telling.person, known=known).id
    cast.people[story.key] = person_id
    arrived = _day(telling, story.case.get("arrived"))
    telling.case_id = cases.open_case(
        actor,
        person_id,
        governorate=str(story.case["governorate"]),
        level=str(story.case.get("level", "standard")),
        return_type=_word(story.case.get("return_type")),
        host_country=_word(story.case.get("host_country")),
        programme=_word(story.case.get("programme")),
        arrived_on=arrived,
        returned_on=arrived,
    ).id


def _word(value: Json) -> str | None:
    return None if value is None else str(value)


def _day(telling: Telling, days: Json) -> date | None:
    if not isinstance(days, int):
        return None
    return telling.now.astimezone(packs.pack().zone).date() - timedelta(days=days)


# -- steps ---------------------------------------------------------------------------------------------------------


def _open_task(telling: Telling, step_id: str, of: Json) -> Task:
    """Find the open task of a step; `of` names the category of the planned service that its run is about."""
    session = db.session()
    rows = session.execute(
        select(Task, Run.decision_values)
        .join(Run, Run.id == Task.run_id)
        .where(Task.case_id == telling.case_id, Task.step == step_id, Task.status == "open")
        .order_by(Task.opened_at, Task.id)
    ).all()
    planned = select(PlanService.id, PlanService.category).where(PlanService.case_id == telling.case_id)
    categories = {row.id: row.category for row in session.execute(planned)}
    session.close()
    found = [task for task, values in rows if of is None or categories.get(str(values.get("service_id"))) == of]
    if not found:
        raise BadStory(f"{telling.story.key}: {step_id} is not open")
    task: Task = found[0]
    return task


def _take(telling: Telling, step_id: str, of: Json) -> tuple[Actor, Task, int]:
    task = _open_task(telling, step_id, of)
    if task.assignee_id is not None:
        return actor_of_user(task.assignee_id, telling.now), task, task.version
    actor = telling.cast.at(task.desk_id, telling.now)
    return actor, task, tasks.claim_task(actor, task.id).version


def _task(telling: Telling, step: Step) -> None:
    name = str(step["task"])
    actor, task, version = _take(telling, name, step.get("of"))
    answers = telling.fill(merged(telling.cast.demo.answers.get(name, {}), step.get("answers")))
    done = tasks.complete_task(actor, task.id, answers=answers, version=version)
    if (done.incident is not None) != (step.get("incident") is True):
        raise BadStory(f"{telling.story.key}: {name} ended with {done.incident or 'no'} incident")


def _claim(telling: Telling, step: Step) -> None:
    _take(telling, str(step["claim"]), step.get("of"))


def _draft(telling: Telling, step: Step) -> None:
    actor, task, _ = _take(telling, str(step["draft"]), step.get("of"))
    tasks.save_draft(actor, task.id, answers=telling.fill(step.get("answers")))


def _hold(telling: Telling, step: Step) -> None:
    actor, task, version = _take(telling, str(step["hold"]), step.get("of"))
    until = telling.now + timedelta(days=_number(step.get("until")))
    tasks.hold_task(actor, task.id, until=until, reason=str(step["reason"]), version=version)


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 1


def _referral(telling: Telling, step: Step) -> None:
    verb, of = str(step["referral"]), step.get("of")
    session = db.session()
    rows = session.scalars(
        select(Referral).where(Referral.case_id == telling.case_id).order_by(Referral.created_at.desc())
    ).all()
    session.close()
    found = next((row for row in rows if row.state not in TERMINAL and of in (None, row.category)), None)
    if found is None:
        raise BadStory(f"{telling.story.key}: no referral is open")
    given = telling.fill({name: value for name, value in step.items() if name not in {"referral", "of"}})
    actor = telling.owner() if step.get("by") == "sender" else _receiver(telling, found)
    referrals.do_verb(actor, found.id, verb, version=found.version, given=_given(given))


def _receiver(telling: Telling, referral: Referral) -> Actor:
    """Give who answers a referral: somebody at its desk, or the sender's clerk for one that answers by letter."""
    if referral.to_desk_id in telling.cast.users:
        return telling.cast.at(referral.to_desk_id, telling.now)
    return telling.owner()


def _given(data: Json) -> Given:
    """Read the fields of a verb: dates and moments are written as text in a story."""
    values: dict[str, Any] = dict(data) if isinstance(data, dict) else {}
    values.pop("by", None)
    for name in _DAYS & values.keys():
        values[name] = date.fromisoformat(str(values[name]))
    if "at" in values:
        values["at"] = datetime.fromisoformat(str(values["at"]))
    return Given(**values)


def _tell(telling: Telling, step: Step) -> None:
    cases.tell_case(telling.owner(), telling.case_id, message=str(step["tell"]))


def _note(telling: Telling, step: Step) -> None:
    cases.add_note(telling.owner(), telling.case_id, text=str(step["note"]))


def _wait(telling: Telling, step: Step) -> None:
    pass_time(telling.clock, telling.now + length(step))


_VERBS: Final[Mapping[str, Callable[[Telling, Step], None]]] = {
    "task": _task,
    "claim": _claim,
    "draft": _draft,
    "hold": _hold,
    "referral": _referral,
    "tell": _tell,
    "note": _note,
    "wait": _wait,
}
