"""The page of a task: its form, what is known around it, and what one may do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import orjson
from flask import Response, request

from api.pages.forms import files
from api.pages.forms.asking import Asked, Options, Question, ask
from api.pages.forms.reading import PREFIX, read_answers, rounds_sent
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.task_around import at_work, desk_of, others_in_case
from nrm.actions import tasks as actions
from nrm.actions.inputs import values_from_json
from nrm.actions.reading import note_read
from nrm.errors import (
    AlreadyDone,
    Conflict,
    IllegalMove,
    NotValid,
    NrmError,
    Problem,
    StaleVersion,
)
from nrm.queries import cases, directory, packs, paths, people, proposals
from nrm.queries import tasks as queries
from nrm.queries.tasks import TaskView
from nrm.rules.answers import constraint_text, first_answers
from nrm.rules.forms import Field, Form, find_field
from nrm.vocabulary import HoldReason

tasks = Pages("tasks")

_HOLD_DAYS: Final = (1, 3, 7, 14, 30)
_LISTED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong with the answers.

    Attributes:
        place: id of the element that it is about; "" for the whole.
        question: the question; "" for the whole.
        message: what to do.
    """

    place: str
    question: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a page of a task shows beside the task itself.

    Attributes:
        answers: what stands in the form.
        problems: what is wrong with it.
        draft_version: version of the draft that the page follows.
        note: code of a sentence to begin with.
    """

    answers: Mapping[str, object]
    problems: tuple[Problem, ...] = ()
    draft_version: int | None = None
    note: str = ""


@tasks.get("/tasks/<task_id>")
def show(visit: Visit, task_id: str) -> Answer:
    """Show a task."""
    view = _read(visit, task_id)
    answers = view.draft.answers if view.draft else None
    note = next((code for code in ("quicker", "done", "undone", "second", "kept") if code in visit.query), "")
    shown = _Shown(
        answers=answers if isinstance(answers, dict) else {},
        draft_version=view.draft.version if view.draft else None,
        note=note,
    )
    return _page(visit, view, shown)


def _read(visit: Visit, task_id: str) -> TaskView:
    view = queries.task(visit.actor, visit.now, task_id)
    if view.task.level == "strict":
        note_read(visit.actor, "task", task_id)
    return view


def _page(visit: Visit, view: TaskView, shown: _Shown, *, status: int = 200) -> Response:
    form = paths.form(view.form.id) if view.form else None
    answers, earlier = dict(shown.answers), False
    if not answers and not shown.problems and view.prefilled and isinstance(view.prefilled.answers, dict):
        answers, earlier = dict(view.prefilled.answers), True
    elif form and not answers and not shown.problems and view.draft is None:
        answers = dict(first_answers(form.fields))
    if view.task.status == "completed" and isinstance(view.answers, dict):
        answers = view.answers
    case = _case(visit, view)
    questions = ask(_asked(visit, view, form, shown, earlier=earlier), answers) if form else ()
    done, others = view.task.status == "completed", others_in_case(visit, view, case)
    return visit.show(
        "tasks/task.html",
        status=status,
        view=view,
        task=view.task,
        form=form,
        case=case,
        questions=questions,
        wrongs=_wrongs(visit, form, questions, shown.problems),
        shown=shown,
        uses=orjson.dumps(dict(view.uses)).decode(),
        today=visit.now.astimezone(visit.words.zone).date().isoformat(),
        currency=packs.pack().answer_setting.currency or "",
        due=visit.words.due(view.task.due_at),
        may=frozenset(view.allowed_actions),
        colleagues=_colleagues(visit, view),
        hold_reasons=tuple(HoldReason),
        hold_days=_HOLD_DAYS,
        desk=desk_of(view.task.desk_id),
        case_desk=visit.words.name(owner.names) if case and (owner := desk_of(case.desk_id)) else "",
        next_tasks=tuple(row for row in others if row.desk_id in visit.actor.desks) if done else (),
        others=tuple(at_work(visit, others)),
    )


def questions_of(
    visit: Visit, view: TaskView, answers: Mapping[str, object], problems: tuple[Problem, ...] = ()
) -> tuple[tuple[Question, ...], tuple[Wrong, ...]]:
    """Give the questions of a task's form as somebody else's page asks them, and what is wrong with the answers."""
    if view.form is None:
        return (), ()
    form, shown = paths.form(view.form.id), _Shown(answers=answers, problems=problems)
    questions = ask(_asked(visit, view, form, shown, earlier=False), answers)
    return questions, _wrongs(visit, form, questions, problems)


def _case(visit: Visit, view: TaskView) -> cases.CaseView | None:
    try:
        return cases.case(visit.actor, visit.now, view.task.case_id)
    except NrmError:
        return None  # a desk may have a task in a case that it knows nothing more of


def _colleagues(visit: Visit, view: TaskView) -> tuple[queries.Colleague, ...]:
    if not {"hand_over", "assign"} & set(view.allowed_actions):
        return ()
    found = queries.colleagues(visit.actor, visit.now, view.id)
    return tuple(one for one in found if one.id != view.task.assignee_id)


def _asked(visit: Visit, view: TaskView, form: Form, shown: _Shown, *, earlier: bool) -> Asked:
    errors: dict[str, list[str]] = {}
    for problem in shown.problems:
        errors.setdefault(problem.pointer, []).append(_said(visit, form, problem))
    pack = packs.pack()
    wanted = {(item.list or "").removeprefix("code_list:") for item in form.walk()}
    labels = {
        name: {code: entry.names for code, entry in pack.codes[name].items() if entry.active}
        for name in wanted & pack.codes.keys()
    }
    return Asked(
        form=form,
        language=visit.language,
        labels=labels,
        pick=lambda item: _pick(visit, view, item),
        today=visit.now.astimezone(visit.words.zone).date(),
        uses=values_from_json(view.uses),
        errors=errors,
        earlier=earlier,
        files=files.file_names(visit, view.id, form),
    )


def _said(visit: Visit, form: Form, problem: Problem) -> str:
    return constraint_text(form, problem, visit.language) or visit.problem(problem.code, problem.params)


def _pick(visit: Visit, view: TaskView, item: Field) -> Options:
    """Give what a question about a person, an organisation or a service may name."""
    try:
        if item.type == "person":
            case = cases.case(visit.actor, visit.now, view.task.case_id)
            found = people.possible_duplicates(visit.actor, case.person_id or "", visit.now)
            return tuple((one.id, one.name) for one in found)
        if item.type == "organisation":
            page = directory.organisations(visit.actor, limit=_LISTED)
            return tuple((row.id, visit.words.name(row.names)) for row in page.items)
        category = view.service_category
        if category:
            offers = proposals.proposals(
                visit.actor, visit.now, view.task.case_id, category=category, language=visit.words.language
            )
            return tuple((one.service.id, visit.words.name(one.service.names)) for one in offers if one.possible)
        services = directory.services(visit.actor, only=directory.ServiceFilter(), limit=_LISTED)
        return tuple((row.id, visit.words.name(row.names)) for row in services.items)
    except NrmError:
        return ()


def _wrongs(
    visit: Visit, form: Form | None, questions: tuple[Question, ...], problems: tuple[Problem, ...]
) -> tuple[Wrong, ...]:
    asked = {"/" + one.name.removeprefix(PREFIX + ".").replace(".", "/"): one for one in _walk(questions)}
    found = []
    for problem in problems:
        question = asked.get(problem.pointer)
        message = _said(visit, form, problem) if form else visit.problem(problem.code, problem.params)
        found.append(
            Wrong(place=question.id if question else "", question=question.label if question else "", message=message)
        )
    return tuple(found)


def _walk(questions: tuple[Question, ...]) -> list[Question]:
    found = []
    for one in questions:
        found.append(one)
        found += _walk(one.inner)
        for round_ in one.rounds:
            found += _walk(round_)
    return found


@tasks.post("/tasks/<task_id>/answers")
def answer(visit: Visit, task_id: str) -> Answer:
    """Complete a task, keep a draft of it, or add or take away a round of a repeat."""
    wish = visit.form.get("do", "complete")
    view = _read(visit, task_id)
    form = paths.form(view.form.id) if view.form else None
    answers: dict[str, object] = dict(read_answers(form, visit.form)) if form else {}
    wrong = files.take_files(visit, view.id, form, answers) if form else ()
    if wrong:
        shown = _Shown(answers=answers or {"": ""}, problems=wrong, draft_version=_keep(visit, view, answers))
        return _page(visit, view, shown, status=422)
    if wish == "draft":
        return _draft(visit, view, answers)
    if wish.startswith(("add:", "remove:")):
        return _change_rounds(visit, view, answers, wish)
    return _complete(visit, view, answers)


def _draft(visit: Visit, view: TaskView, answers: Mapping[str, object]) -> Answer:
    try:
        saved = actions.save_draft(visit.actor, view.id, answers=answers, version=_draft_seen(visit))
    except NrmError as error:
        if _reads_pages():
            if isinstance(error, (StaleVersion, IllegalMove)):
                return _beside(visit, view, answers, error)
            raise
        code = "tasks.draft_elsewhere" if isinstance(error, StaleVersion) else "tasks.draft_not_saved"
        return _told(409, visit.words.t(code))
    if _reads_pages():
        return see(f"/tasks/{view.id}?kept=1")
    return _told(200, visit.words.t("tasks.saved_at", time=visit.words.time(saved.saved_at)), saved.version)


def _draft_seen(visit: Visit) -> int:
    """Give the version of the draft that the page follows; 0 where there was none, so that a later one is noticed."""
    given = visit.form.get("draft_version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _reads_pages() -> bool:
    """Say whether the draft was sent by the page's button, not by its script."""
    return "text/html" in request.accept_mimetypes.values()


def _told(status: int, words: str, version: int | None = None) -> Response:
    told = {"words": words, "version": version}
    return Response(orjson.dumps(told), status=status, content_type="application/json")


def _change_rounds(visit: Visit, view: TaskView, answers: dict[str, object], wish: str) -> Answer:
    verb, _, name = wish.partition(":")
    path = name.split(".")[1:]
    if verb == "remove":
        place = path.pop()
        rounds = answers.get(path[0]) if len(path) == 1 else None
        if isinstance(rounds, list) and place.isdigit() and int(place) < len(rounds):
            del rounds[int(place)]
    elif len(path) == 1:
        rounds = answers.setdefault(path[0], [])
        if isinstance(rounds, list):
            # What the page showed as an empty round is one, so that adding adds a further one.
            rounds += [{} for _ in range(rounds_sent(visit.form, name) - len(rounds))] + [_new_round(view, path[0])]
    return _page(visit, view, _Shown(answers=answers or {"": ""}, draft_version=_keep(visit, view, answers)))


def _new_round(view: TaskView, name: str) -> dict[str, object]:
    repeat = find_field(paths.form(view.form.id), name) if view.form else None
    return dict(first_answers(repeat.fields)) if repeat else {}


def _complete(visit: Visit, view: TaskView, answers: Mapping[str, object]) -> Answer:
    try:
        done = actions.complete_task(
            visit.actor,
            view.id,
            answers=answers,
            outcome=visit.text("outcome") or None,
            version=visit.version(),
        )
    except AlreadyDone:
        return see(f"/tasks/{view.id}?second=1")
    except NotValid as error:
        shown = _Shown(answers=answers, problems=error.problems, draft_version=_keep(visit, view, answers))
        return _page(visit, view, shown, status=422)
    except (StaleVersion, IllegalMove) as error:
        return _beside(visit, view, answers, error)
    if done.incident is not None:
        return see(f"/tasks/{view.id}?done=1&stopped=1")
    return see(f"/tasks/{view.id}?done=1")


def _keep(visit: Visit, view: TaskView, answers: Mapping[str, object]) -> int | None:
    """Keep as a draft what could not be taken, so that it is there even when this page is closed.

    Gives the version of the draft that the page follows from now on.
    """
    try:
        return actions.save_draft(visit.actor, view.id, answers=answers).version
    except NrmError:
        return _draft_seen(visit) or None  # it stands on the page itself; there is nothing more to be done


def _beside(visit: Visit, view: TaskView, answers: Mapping[str, object], error: Conflict) -> Answer:
    """Show what was typed beside what is stored by now; nothing is overwritten and nothing is lost."""
    fresh = queries.task(visit.actor, visit.now, view.id)
    form = paths.form(fresh.form.id) if fresh.form else None
    if form is None:
        raise error
    stored = fresh.answers if isinstance(fresh.answers, dict) else fresh.draft.answers if fresh.draft else {}
    asked = _asked(visit, fresh, form, _Shown(answers={}), earlier=False)
    return visit.show(
        "tasks/beside.html",
        status=409,
        task=fresh.task,
        view=fresh,
        message=visit.problem(error.code, error.params),
        typed=ask(asked, answers),
        sent=[(name, text) for name, text in visit.form.items(multi=True) if name.startswith(PREFIX + ".")],
        stored=ask(asked, stored if isinstance(stored, dict) else {}),
    )


@tasks.post("/tasks/<task_id>/undo")
def undo(visit: Visit, task_id: str) -> Answer:
    """Take a completion back: the task is open again with its answers as a draft."""
    actions.undo_task(visit.actor, task_id)
    return see(f"/tasks/{task_id}?undone=1")


@tasks.post("/tasks/<task_id>/hold")
def hold(visit: Visit, task_id: str) -> Answer:
    """Put a task on hold until a day, at the end of which it comes back by itself."""
    until = _day_end(visit, visit.text("until")) or visit.now + timedelta(days=_days(visit.text("days")))
    actions.hold_task(visit.actor, task_id, until=until, reason=visit.text("reason"), version=visit.version())
    return see("/work?tab=on_hold")


def _days(text: str) -> int:
    return int(text) if text in {str(days) for days in _HOLD_DAYS} else _HOLD_DAYS[0]


def _day_end(visit: Visit, text: str) -> datetime | None:
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        return None
    return datetime.combine(day, time(8), visit.words.zone)


@tasks.post("/tasks/<task_id>/resume")
def resume(visit: Visit, task_id: str) -> Answer:
    """Take a task off hold."""
    actions.resume_task(visit.actor, task_id, version=visit.version())
    return see(f"/tasks/{task_id}")


@tasks.post("/tasks/<task_id>/hand-over")
def hand_over(visit: Visit, task_id: str) -> Answer:
    """Give a task to a colleague: one's own, or as a supervisor anybody's."""
    view = queries.task(visit.actor, visit.now, task_id)
    give = actions.hand_over_task if "hand_over" in view.allowed_actions else actions.assign_task
    note = visit.text("note") or None
    give(visit.actor, task_id, to_user=visit.text("to_user"), version=visit.version(), note=note)
    return see("/work")


@tasks.post("/tasks/<task_id>/comment")
def comment(visit: Visit, task_id: str) -> Answer:
    """Add a comment."""
    actions.comment_task(visit.actor, task_id, text=visit.text("text"))
    return see(f"/tasks/{task_id}#comments")
