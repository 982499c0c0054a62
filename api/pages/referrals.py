"""Referrals: what one's organisation received and sent, and the page on which each is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from api.pages.codes import label, labels, sayers
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.transport import cursors
from nrm.actions import referrals as actions
from nrm.actions.reading import note_read
from nrm.actions.referral_changes import Given
from nrm.errors import Conflict, NotValid, Problem
from nrm.queries import directory, packs
from nrm.queries import referrals as queries
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.referrals import ReferralFilter
from nrm.rules.statuses import LOOP_ANSWERS, REFERRAL_VERBS
from nrm.rules.texts import fold_digits
from nrm.vocabulary import ReferralState

referrals = Pages("referrals")

_LIST: Final = "pages.referrals"
_ROWS: Final = 40
_MESSAGES: Final = 100
_DATES: Final = frozenset({"until", "review_on", "started_on", "expected_start", "expected_end", "delivered_on"})
_NUMBERS: Final = frozenset({"position", "units"})
_REASON_LISTS: Final = {
    "decline": "decline_reason",
    "redirect": "decline_reason",
    "hold": "hold_reason",
    "fail": "not_served_reason",
    "cancel": "cancel_reason",
    "withdraw": "withdraw_reason",
    "enter_in_error": "error_reason",
}
_FIRST: Final = ("accept", "acknowledge", "complete", "start", "schedule", "progress", "answer", "resume", "send")
"""Verbs that stand open; the others are opened by those who need them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One field of a verb's form.

    Attributes:
        name: its name.
        kind: long, text, day, moment, number or choice.
        needed: it must be filled in.
        choices: code and words of each choice.
    """

    name: str
    kind: str
    needed: bool
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A verb that the reader may use now.

    Attributes:
        verb: its name.
        text: what the button says.
        open: its form stands open.
        blanks: its fields.
        bad: it ends the referral without a service.
    """

    verb: str
    text: str
    open: bool
    blanks: tuple[Blank, ...]
    bad: bool


@referrals.get("/referrals")
def list_referrals(visit: Visit) -> Answer:
    """List the referrals that came in, or those that were sent."""
    receives = visit.may("referral.receive")
    way = visit.query.get("way") or ("received" if receives else "sent")
    state = visit.query.get("state", "")
    cursor = visit.query.get("after")
    page = queries.referrals(
        visit.actor,
        visit.now,
        came_in=way == "received",
        only=ReferralFilter(
            state=state if state in set(ReferralState) else None, open_only=visit.query.get("all") != "1" and not state
        ),
        after=cursors.read_cursor(_LIST, cursor) if cursor else None,
        limit=_ROWS,
    )
    following = None
    if page.next_key:
        kept = {name: value for name, value in visit.query.items() if name != "after"}
        following = "/referrals?" + urlencode({**kept, "after": cursors.write_cursor(_LIST, page.next_key)})
    return visit.show(
        "referrals/list.html",
        rows=page.items,
        way=way,
        state=state,
        all=visit.query.get("all") == "1",
        states=[(str(one), label(visit, "referral_state", one)) for one in ReferralState],
        next_page=following,
        **sayers(visit),
    )


@referrals.get("/referrals/<referral_id>")
def show(visit: Visit, referral_id: str) -> Answer:
    """Show a referral; the receiver's first read acknowledges it, and is recorded."""
    found = queries.referral(visit.actor, visit.now, referral_id)
    if found.relation == "receiver":
        note_read(visit.actor, "referral", referral_id)
        if found.state == "sent" and "acknowledge" in found.allowed_actions:
            with suppress(Conflict):
                actions.do_verb(visit.actor, referral_id, "acknowledge", version=found.version, given=Given())
            found = queries.referral(visit.actor, visit.now, referral_id)
    return _page(visit, found)


def _page(visit: Visit, found: ReferralView, *, problems: tuple[Problem, ...] = (), verb: str = "") -> Answer:
    told = queries.messages(visit.actor, visit.now, found.id, after=None, limit=_MESSAGES).items
    return visit.show(
        "referrals/referral.html",
        status=422 if problems else 200,
        referral=found,
        doings=tuple(_doings(visit, found, verb)),
        messages=told,
        may_write=found.relation in ("team", "receiver") and found.state not in queries.GONE,
        problems=[(label_of(visit, one.pointer), visit.problem(one.code, one.params)) for one in problems],
        due=visit.words.due(found.reply_due_at),
        filled=visit.form,
        filled_verb=verb,
        organisations={key: visit.words.name(value) for key, value in directory.organisation_names().items()},
        loop=_loop(visit, found),
        **sayers(visit),
    )


def label_of(visit: Visit, pointer: str) -> str:
    """Name the field that a problem points to."""
    name = pointer.strip("/")
    return visit.words.t("referrals.field_" + name) if name in _NAMED else ""


_NAMED: Final = frozenset(
    {
        *_DATES,
        *_NUMBERS,
        "reason",
        "note",
        "organisation",
        "desk",
        "at",
        "place",
        "outcome",
        "cost",
        "satisfaction",
    }
)


def _doings(visit: Visit, found: ReferralView, tried: str) -> Iterator[Doing]:
    allowed = [name for name in REFERRAL_VERBS if name in found.allowed_actions]
    order = {name: place for place, name in enumerate(_FIRST)}
    for name in sorted(allowed, key=lambda one: order.get(one, len(order))):
        verb = REFERRAL_VERBS[name]
        needed = (("reason",) if verb.reasons else ()) + verb.needed
        blanks = [*((one, True) for one in needed), *((one, False) for one in verb.optional if one not in needed)]
        yield Doing(
            verb=name,
            text=label(visit, "referral_verb", name),
            open=name == tried or not needed,
            blanks=tuple(_blank(visit, found, name, one, needed=must) for one, must in blanks),
            bad=name in {"decline", "fail", "cancel", "withdraw", "enter_in_error", "redirect"},
        )


def _blank(visit: Visit, found: ReferralView, verb: str, name: str, *, needed: bool) -> Blank:
    choices: tuple[tuple[str, str], ...] = ()
    kind = "text"
    if name == "reason":
        kind, choices = "choice", labels(visit, _REASON_LISTS[verb])
    elif name == "outcome":
        kind = "choice"
        choices = tuple((str(one), label(visit, "referral_outcome", one)) for one in REFERRAL_VERBS[verb].outcomes)
    elif name == "organisation":
        known = directory.organisation_names()
        kind, choices = "choice", tuple((key, visit.words.name(value)) for key, value in known.items())
    elif name == "desk":
        to = found.to_org.id if found.to_org else ""
        kind = "choice"
        choices = tuple(
            (desk.id, visit.words.name(desk.names)) for desk in packs.pack().desks if desk.organisation_id == to
        )
    elif name in _DATES:
        kind = "day"
    elif name in _NUMBERS:
        kind = "number"
    elif name == "at":
        kind = "moment"
    elif name == "note":
        kind = "long"
    return Blank(name=name, kind=kind, needed=needed, choices=choices)


def _loop(visit: Visit, found: ReferralView) -> tuple[tuple[str, str], ...]:
    """Give the answers by which the sender can close the loop by hand."""
    if found.relation != "team" or found.closed_at is not None or not visit.may("referral.send"):
        return ()
    answers = LOOP_ANSWERS.get(ReferralState(found.state), frozenset())
    return tuple((str(one), visit.words.t("referrals.loop_" + one)) for one in sorted(answers) if one != "rereferred")


@referrals.post("/referrals/<referral_id>/do/<verb>")
def do(visit: Visit, referral_id: str, verb: str) -> Answer:
    """Answer a referral, or take another of its verbs."""
    known = REFERRAL_VERBS.get(verb)
    if known is None:
        return see(f"/referrals/{referral_id}")
    try:
        given = _given(visit)
        actions.do_verb(visit.actor, referral_id, verb, version=visit.version(), given=given)
    except NotValid as error:
        found = queries.referral(visit.actor, visit.now, referral_id)
        return _page(visit, found, problems=error.problems, verb=verb)
    return see(f"/referrals/{referral_id}?did={verb}")


def _given(visit: Visit) -> Given:
    values: dict[str, Any] = {}
    problems = []
    for name in _NAMED - {"satisfaction"}:
        text = visit.text(name)
        if not text:
            continue
        try:
            values[name] = _value(visit, name, text)
        except (ValueError, OverflowError):
            problems.append(Problem(pointer="/" + name, code=_UNREADABLE[_kind(name)]))
    if problems:
        raise NotValid(problems)
    return Given(**values)


_UNREADABLE: Final = {"day": "not_a_date", "moment": "moment_by_hand", "number": "not_an_integer"}


def _kind(name: str) -> str:
    return "day" if name in _DATES else "number" if name in _NUMBERS else "moment"


def _value(visit: Visit, name: str, text: str) -> date | datetime | int | str:
    if name in _DATES:
        return date.fromisoformat(fold_digits(text))
    if name == "at":
        moment = datetime.fromisoformat(fold_digits(text))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=visit.words.zone)
        # The first and last hours that can be written have no moment in every zone.
        return moment.astimezone(UTC)
    return int(text) if name in _NUMBERS else text


@referrals.post("/referrals/<referral_id>/message")
def message(visit: Visit, referral_id: str) -> Answer:
    """Write to the other side."""
    actions.add_referral_note(visit.actor, referral_id, text=visit.text("text"))
    return see(f"/referrals/{referral_id}#messages")


@referrals.post("/referrals/<referral_id>/loop")
def close_loop(visit: Visit, referral_id: str) -> Answer:
    """Close the loop: what the returnee says, or what came of a referral that was not served."""
    answer = visit.text("answer")
    if answer == "confirmed":
        satisfied = visit.text("satisfaction")
        actions.confirm_referral(
            visit.actor,
            referral_id,
            received=True,
            satisfaction=int(satisfied) if satisfied in {"1", "2", "3", "4", "5"} else None,
            version=visit.version(),
        )
    else:
        actions.close_loop(visit.actor, referral_id, answer=answer, version=visit.version())
    return see(f"/referrals/{referral_id}")
