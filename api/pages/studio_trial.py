"""Try a draft without a script: what is open stands on the page, and each answer plays the whole trial anew.

Nothing is kept on the server: the page carries the moves that were made, in the words of scenario files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from api.pages.forms.asking import Asked, Question, ask
from api.pages.forms.reading import read_answers, rounds_sent
from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions.path_forms import form_of_draft
from nrm.actions.path_scenarios import save_scenario
from nrm.actions.path_trials import TrialTask, TrialView, start_names, try_draft
from nrm.errors import BadPath, NotFound, NotValid, Problem
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.rules.forms import Form, parse_form

studio_trial = Pages("studio_trial")

_PLACE: Final = "/studio/drafts/<draft_id>/trial"
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_LISTS: Final = ("moves", "order")
_OBJECTS: Final = ("checks", "start", "settings")

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What was done so far; `order` says for each thing done whether it was a "move" or the answer of which check."""

    moves: list[Json] = field(default_factory=list)
    checks: dict[str, list[Json]] = field(default_factory=dict)
    start: dict[str, Json] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def written(self) -> str:
        """Write it for the page."""
        return json.dumps({name: getattr(self, name) for name in (*_LISTS, *_OBJECTS)}, ensure_ascii=False)

    def with_move(self, move: Mapping[str, Json]) -> Played:
        """Add a move."""
        return replace(self, moves=[*self.moves, dict(move)], order=[*self.order, "move"])

    def with_answer(self, check: str, values: Mapping[str, Json]) -> Played:
        """Add what a registered check answers."""
        checks = {**self.checks, check: [*self.checks.get(check, []), dict(values)]}
        return replace(self, checks=checks, order=[*self.order, f"check {check}"])

    def without_last(self) -> Played:
        """Take the last thing back."""
        if not self.order:
            return self
        what, _, check = self.order[-1].partition(" ")
        order = self.order[:-1]
        if what == "move":
            return replace(self, moves=self.moves[:-1], order=order)
        rest = self.checks.get(check, [])[:-1]
        checks = {name: answers for name, answers in {**self.checks, check: rest}.items() if answers}
        return replace(self, checks=checks, order=order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The task that is in hand, and what was typed into its form and not taken, or not to be taken yet."""

    step: str = ""
    item: str | None = None
    answers: Mapping[str, object] = field(default_factory=dict)


@studio_trial.get(_PLACE)
def begin(visit: Visit, draft_id: str) -> Answer:
    """Ask with which values the trial starts."""
    view = queries.draft(visit.actor, draft_id)
    return visit.show(
        "studio/trial_start.html", draft=view.draft, names=start_names(view), scenarios=sorted(view.scenarios)
    )


@studio_trial.post(_PLACE)
def go_on(visit: Visit, draft_id: str) -> Answer:
    """Do one more thing, and show how the path stands then."""
    view = queries.draft(visit.actor, draft_id)
    verb = visit.text("verb")
    if verb == "begin":
        return _page(visit, view, Played(start=_values(visit, "s")))
    if verb == "load":
        return _page(visit, view, _loaded(view, visit.text("name")))
    before = _read(visit)
    if verb == "back":
        return _page(visit, view, before.without_last())
    if verb == "take":
        return _page(visit, view, before, typed=Typed(step=visit.text("step"), item=visit.form.get("item")))
    wish = visit.text("do")
    if verb == "complete" and wish.startswith(("add:", "remove:")):
        return _page(visit, view, before, typed=_with_rounds(visit, view, wish))
    if verb not in _MOVES:
        raise NotFound
    after = _MOVES[verb](visit, view, before)
    return _page(visit, view, after, before=before, typed=_typed(visit, view) if verb == "complete" else Typed())


@studio_trial.post("/studio/drafts/<draft_id>/trial/record", permission="path.edit")
def record(visit: Visit, draft_id: str) -> Answer:
    """Keep what was tried as a scenario of the draft."""
    view, played = queries.draft(visit.actor, draft_id), _read(visit)
    try:
        trial = _try(visit, view, played)
        save_scenario(
            visit.actor,
            draft_id,
            name=visit.text("name"),
            title=visit.text("title"),
            moves=played.moves,
            checks=dict(played.checks),
            start=played.start,
            settings=played.settings,
            expect=trial.outcome,
            version=visit.version() or 0,
        )
    except NotValid as error:
        told = tuple(visit.problem(one.code, one.params) for one in error.problems)
        return _page(visit, view, played, told=told)
    return see(f"/studio/drafts/{draft_id}/review#scenarios")


def _page(
    visit: Visit,
    view: DraftView,
    played: Played,
    *,
    before: Played | None = None,
    typed: Typed | None = None,
    told: tuple[str, ...] = (),
) -> Answer:
    """Show how the path stands; what could not be done is told, and not kept."""
    try:
        trial = _try(visit, view, played)
        if trial.problem is not None and before is not None:
            told, played = (trial.problem.text,), before
            trial = _try(visit, view, played)
    except BadPath:
        return visit.show("studio/trial_start.html", status=422, draft=view.draft, names=(), scenarios=(), broken=True)
    in_hand = _in_hand(trial, typed or Typed())
    problem = () if trial.problem is None or told else (trial.problem.text,)
    return visit.show(
        "studio/trial.html",
        status=422 if told else 200,
        draft=view.draft,
        played=played,
        trial=trial,
        told=(*told, *problem),
        in_hand=in_hand,
        questions=_questions(visit, view, trial, in_hand, typed or Typed()) if in_hand else (),
        writable="save" in view.draft.actions,
    )


def _try(visit: Visit, view: DraftView, played: Played) -> TrialView:
    return try_draft(
        visit.actor,
        view.draft.id,
        moves=played.moves,
        checks=dict(played.checks),
        start=played.start,
        settings=played.settings,
        language=visit.language,
        every_check=True,
    )


# -- what is asked ----------------------------------------------------------------------------------------------------


def _form(visit: Visit, view: DraftView, key: str | None) -> tuple[Form | None, Mapping[str, Json]]:
    """Give a form as the draft has it, and the names of codes; none for a form that cannot be read."""
    if key is None:
        return None, {}
    found = form_of_draft(visit.actor, view.draft.id, key)
    try:
        return (parse_form(found.content) if found.known or found.changed else None), found.labels
    except NotValid:
        return None, {}


def _in_hand(trial: TrialView, typed: Typed) -> TrialTask | None:
    """Choose the task whose form is asked: one at a time, since rounds of a step ask the same questions."""
    chosen = (task for task in trial.tasks if (task.step, task.item) == (typed.step, typed.item))
    return next(chosen, trial.tasks[0] if trial.tasks else None)


def _questions(visit: Visit, view: DraftView, trial: TrialView, task: TrialTask, typed: Typed) -> tuple[Question, ...]:
    form, labels = _form(visit, view, task.form)
    if form is None:
        return ()
    asked = Asked(
        form=form,
        language=visit.language,
        labels=labels,
        pick=lambda _: (),
        today=trial.clock.date(),
        uses={name: value for name, value in trial.values.items() if isinstance(value, str | int | bool)},
    )
    mine = (typed.step, typed.item) == (task.step, task.item)
    return ask(asked, typed.answers if mine else {})


# -- what is done -----------------------------------------------------------------------------------------------------


def _item(visit: Visit) -> dict[str, Json]:
    return {"item": visit.form["item"]} if "item" in visit.form else {}


def _typed(visit: Visit, view: DraftView) -> Typed:
    form, _ = _form(visit, view, visit.text("form") or None)
    answers: dict[str, object] = dict(read_answers(form, visit.form)) if form else {}
    return Typed(step=visit.text("step"), item=visit.form.get("item"), answers=answers)


def _with_rounds(visit: Visit, view: DraftView, wish: str) -> Typed:
    """Add a round to a repeated question of a form, or take one away."""
    typed = _typed(visit, view)
    verb, _, name = wish.partition(":")
    path = name.split(".")[1:]
    place = path.pop() if verb == "remove" and path else ""
    if len(path) != 1:
        return typed
    given = typed.answers.get(path[0])
    rounds = list(given) if isinstance(given, list) else []
    if verb == "add":
        rounds += [{} for _ in range(rounds_sent(visit.form, name) - len(rounds))] + [{}]
    elif place.isascii() and place.isdigit() and int(place) < len(rounds):
        del rounds[int(place)]
    return replace(typed, answers={**typed.answers, path[0]: rounds})


def _complete(visit: Visit, view: DraftView, played: Played) -> Played:
    typed = _typed(visit, view)
    return played.with_move({"complete": typed.step, "answers": dict(typed.answers), **_item(visit)})


def _answer(visit: Visit, _: DraftView, played: Played) -> Played:
    return played.with_answer(visit.text("check"), _values(visit, "v"))


def _message(visit: Visit, _: DraftView, played: Played) -> Played:
    return played.with_move({"message": visit.text("message"), "values": _values(visit, "v")})


def _child(visit: Visit, _: DraftView, played: Played) -> Played:
    """End a called path: with an outcome, by an error, by being cancelled; or let it escalate."""
    step, how = visit.text("step"), visit.text("how")
    if how == "cancel":
        return played.with_move({"child_cancel": step, **_item(visit)})
    if how in {"error", "escalation"}:
        return played.with_move({f"child_{how}": step, "code": visit.text("code"), **_item(visit)})
    values = _values(visit, "v")
    return played.with_move({"child": step, "outcome": visit.text("outcome") or None, "values": values, **_item(visit)})


def _advance(visit: Visit, _: DraftView, played: Played) -> Played:
    return played.with_move({"advance": visit.text("time")})


def _wait(visit: Visit, _: DraftView, played: Played) -> Played:
    """Let the time pass until a timer goes off."""
    try:
        until, clock = (datetime.fromisoformat(visit.text(name)) for name in ("until", "clock"))
        seconds = max(1, -((clock - until) // timedelta(seconds=1)))
    except (ValueError, TypeError, OverflowError):
        raise NotValid([Problem(pointer="/until", code="required")]) from None
    return played.with_move({"advance": f"PT{seconds}S"})


_MOVES: Final[Mapping[str, Callable[[Visit, DraftView, Played], Played]]] = {
    "complete": _complete,
    "answer": _answer,
    "message": _message,
    "child": _child,
    "advance": _advance,
    "wait": _wait,
}


def _values(visit: Visit, prefix: str) -> dict[str, Json]:
    """Read values as they were typed: yes or no, a number, a text, or several texts with commas between."""
    found = {}
    for name in visit.form:
        if name.startswith(f"{prefix}.") and (text := visit.text(name)):
            found[name.removeprefix(f"{prefix}.")] = _value(text)
    return found


def _value(text: str) -> Json:
    if text in {"true", "false"}:
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if "," in text or "،" in text:
        return [part.strip() for part in re.split("[,،]", text) if part.strip()]
    return text


def _read(visit: Visit) -> Played:
    """Read what the page carried.

    Raises:
        NotValid: it is not what a page carries.
    """
    try:
        given = json.loads(visit.form.get("state", ""))
        lists = {name: given[name] for name in _LISTS}
        objects = {name: given[name] for name in _OBJECTS}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotValid([Problem(pointer="/state", code="required")]) from None
    shapes = [(one, list) for one in lists.values()] + [(one, dict) for one in objects.values()]
    if not all(isinstance(one, kind) for one, kind in shapes):
        raise NotValid([Problem(pointer="/state", code="required")])
    inner = [(one, str) for one in lists["order"]] + [(one, dict) for one in lists["moves"]]
    if not all(isinstance(one, kind) for one, kind in [*inner, *((one, list) for one in objects["checks"].values())]):
        raise NotValid([Problem(pointer="/state", code="required")])
    return Played(**lists, **objects)


def _loaded(view: DraftView, name: str) -> Played:
    """Give a recorded scenario as if it had just been played."""
    found: Mapping[str, Json] | None = view.scenarios.get(name)
    if found is None:
        raise NotFound
    moves = list(found.get("steps") or [])
    return Played(
        moves=moves,
        checks={check: list(answers) for check, answers in dict(found.get("checks") or {}).items()},
        start=dict(found.get("start") or {}),
        settings=dict(found.get("settings") or {}),
        order=["move"] * len(moves),
    )
