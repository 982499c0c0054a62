"""Check the answers of a form, on the server, whatever the page or program that sent them did."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from nrm.errors import NotValid, Problem
from nrm.expressions import Expression, LimitExceeded, Value, evaluate, truthy
from nrm.rules.answer_types import Clean, Setting, read_answer, typed_value
from nrm.rules.forms import Field, Form, find_field
from nrm.rules.texts import WrongValue, clean_text

LARGEST: Final = 200_000
"""Most bytes of one form's answers, as JSON in UTF-8."""
_MOST_LISTED: Final = 50
_DEEPEST: Final = 14
_NO_ANSWER: Final = frozenset({"note", "calculate", "group"})
_DECIDING: Final = frozenset(
    [
        "integer",
        "decimal",
        "money",
        "date",
        "datetime",
        "select_one",
        "select_multiple",
        "acknowledge",
        "yes_no",
        "calculate",
        "person",
        "organisation",
        "service",
    ]
)
Scalar = str | int | bool | Decimal | date | None
Decision = Scalar | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of a form after the check.

    Attributes:
        clean: field name → stored answer (JSON); nothing that is not relevant, nothing empty.
        dropped: pointers of answers that were given but do not matter.
        problems: what a draft still has wrong; empty for complete answers.
    """

    clean: Mapping[str, Clean]
    dropped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def validate_answers(
    form: Form,
    answers: object,
    *,
    today: date,
    setting: Setting = Setting(),  # noqa: B008 - frozen, without state
    values_from_earlier: Mapping[str, Value] | None = None,
    partial: bool = False,
) -> Answers:
    """Check the answers of a form.

    Args:
        form: the version of the form that the task was opened with.
        answers: field name → answer; a repeat's answer is a list of such objects.
        today: the date that conditions call today().
        setting: code lists, phone region, currency and time zone of the country.
        values_from_earlier: values of the run that conditions may read.
        partial: it is a draft: keep what was typed, and only report what is wrong with it.

    Returns:
        The clean answers.

    Raises:
        NotValid: at least one answer cannot be taken; problems name each by its pointer. For a draft: only when it
            is no object, too large, has unknown fields, or texts that cannot be stored.
    """
    if not isinstance(answers, Mapping):
        raise NotValid([Problem(pointer="", code="not_an_object")])
    _check_size(answers)
    check = _Check(form, today, setting, partial=partial)
    scope: dict[str, Value] = dict(values_from_earlier or {})
    clean = check.fields(form.fields, answers, scope, "")
    check.unknown(form.fields, answers, "")
    if check.fatal or (check.problems and not partial):
        raise NotValid([*check.fatal, *check.problems][:_MOST_LISTED])
    return Answers(clean=clean, dropped=tuple(check.dropped), problems=tuple(check.problems[:_MOST_LISTED]))


def _check_size(answers: Mapping[str, object]) -> None:
    if _depth_of(answers) > _DEEPEST:
        raise NotValid([Problem(pointer="", code="too_deep", params={"deepest": _DEEPEST})])
    if _size_of(answers) > LARGEST:
        raise NotValid([Problem(pointer="", code="answers_too_large", params={"most": LARGEST // 1000})])


def _size_of(answers: Mapping[str, object]) -> int:
    try:
        return len(orjson.dumps(answers))
    except TypeError:
        # Numbers beyond 64 bits, texts and types that only the slower writer takes.
        pass
    try:
        return len(json.dumps(answers, ensure_ascii=False, default=str, separators=(",", ":")).encode())
    except UnicodeEncodeError:
        return 0  # a lone surrogate: the text check names its place
    except (ValueError, TypeError):
        raise NotValid([Problem(pointer="", code="unreadable")]) from None


def _depth_of(value: object) -> int:
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        depth += 1
        level = [part for parent in level for part in _parts(parent)]
    return depth


def _parts(value: object) -> Collection[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


class _Check:
    """One pass over one set of answers; collects clean values and problems."""

    def __init__(self, form: Form, today: date, setting: Setting, *, partial: bool) -> None:
        self.today = today
        self.setting = setting
        self.partial = partial
        self.problems: list[Problem] = []
        self.fatal: list[Problem] = []
        self.dropped: list[str] = []
        self.lists = {name: frozenset(choice.name for choice in choices) for name, choices in form.choices.items()}

    def wrong(self, pointer: str, code: str, **params: str | int | None) -> None:
        self.problems.append(Problem(pointer=pointer, code=code, params=params))

    def holds(self, expression: Expression, scope: Mapping[str, Value], pointer: str, this: Value = None) -> bool:
        try:
            return truthy(evaluate(expression, scope, today=self.today, this=this))
        except LimitExceeded:
            self.wrong(pointer, "too_much_to_check")
            return True

    def fields(
        self, fields: tuple[Field, ...], given: Mapping[str, object], scope: dict[str, Value], pointer: str
    ) -> dict[str, Clean]:
        clean: dict[str, Clean] = {}
        for item in fields:
            here = f"{pointer}/{item.name}"
            if item.relevant is not None and not self.holds(item.relevant, scope, here):
                self.drop(item, given, scope, pointer)
            elif item.type == "group":
                clean |= self.fields(item.fields, given, scope, pointer)
            else:
                self.field(item, given, scope, here, clean)
        return clean

    def drop(self, item: Field, given: Mapping[str, object], scope: dict[str, Value], pointer: str) -> None:
        scope[item.name] = None
        if item.type == "group":
            for inner in item.fields:
                self.drop(inner, given, scope, pointer)
        elif given.get(item.name) not in (None, "", []):
            self.dropped.append(f"{pointer}/{item.name}")

    def field(
        self, item: Field, given: Mapping[str, object], scope: dict[str, Value], here: str, clean: dict[str, Clean]
    ) -> None:
        if item.type == "note":
            return
        if item.type == "calculate":
            value = self.calculated(item, scope, here)
        elif item.type == "repeat":
            value = self.rounds(item, given.get(item.name), scope, here)
        else:
            value = self.answer(item, given.get(item.name), here)
        scope[item.name] = self.typed(item, value)
        if value is None:
            if item.required and item.type != "calculate" and not self.refused(here):
                self.wrong(here, "must_acknowledge" if item.type == "acknowledge" else "required")
            return
        clean[item.name] = value
        if item.constraint is None or self.refused(here):
            return
        if not self.holds(item.constraint, scope, here, scope[item.name]):
            self.wrong(here, "constraint", field=item.name)

    def refused(self, here: str) -> bool:
        return any(problem.pointer == here for problem in self.problems)

    def typed(self, item: Field, value: Clean) -> Value:
        try:
            return typed_value(item, value)
        except (ValueError, ArithmeticError, TypeError, KeyError):
            return None  # a draft keeps what was typed, conditions see nothing

    def calculated(self, item: Field, scope: Mapping[str, Value], here: str) -> Clean:
        if item.calculation is None:
            return None
        try:
            value = evaluate(item.calculation, scope, today=self.today)
        except LimitExceeded:
            self.wrong(here, "too_much_to_check")
            return None
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, date):
            return value.isoformat()
        return value[:500] if isinstance(value, str) else None

    def answer(self, item: Field, value: object, here: str) -> Clean:
        try:
            return read_answer(value, item, self.codes(item, here), self.setting)
        except WrongValue as wrong:
            self.wrong(here, wrong.code, **wrong.params)
            return self.kept(value, here) if self.partial else None

    def kept(self, value: object, here: str) -> Clean:
        """Keep what was typed in a draft, when it can be stored at all."""
        if isinstance(value, bool | int) or value is None:
            return value
        try:
            if isinstance(value, list):
                return [self.kept(entry, here) for entry in value[:_MOST_LISTED]]
            if isinstance(value, Mapping):
                return {clean_text(name, longest=64): self.kept(entry, here) for name, entry in value.items()}
            return clean_text(value if isinstance(value, str) else str(value), longest=10_000, lines=True)
        except WrongValue as wrong:
            self.fatal.append(Problem(pointer=here, code=wrong.code, params=wrong.params))
            return None

    def codes(self, item: Field, here: str) -> Collection[str]:
        if item.list is None:
            return ()
        wanted = item.list.removeprefix("code_list:")
        if wanted == item.list:
            return self.lists[wanted]
        if wanted not in self.setting.code_lists:
            raise WrongValue("unknown_list", name=wanted)
        return self.setting.code_lists[wanted]

    def rounds(self, item: Field, value: object, scope: Mapping[str, Value], here: str) -> Clean:
        if value in (None, "", []):
            if item.least and not item.required:
                self.wrong(here, "too_few_rounds", least=item.least)
            return None
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            self.wrong(here, "not_a_list")
            return None
        if len(value) > item.most:
            self.wrong(here, "too_many_rounds", most=item.most)
            return None
        if len(value) < item.least:
            self.wrong(here, "too_few_rounds", least=item.least)
        done: list[Clean] = []
        for place, entry in enumerate(value):
            done.append(self.fields(item.fields, entry, dict(scope), f"{here}/{place}"))
            self.unknown(item.fields, entry, f"{here}/{place}")
        return done

    def unknown(self, fields: tuple[Field, ...], given: Mapping[str, object], pointer: str) -> None:
        known = set(_answer_names(fields))
        for name in sorted(str(name) for name in given if name not in known):
            shown = name[:64].encode("ascii", "replace").decode().replace("~", "~0").replace("/", "~1")
            problem = Problem(pointer=f"{pointer}/{shown}", code="unknown_field")
            (self.fatal if self.partial else self.problems).append(problem)


def _answer_names(fields: tuple[Field, ...]) -> list[str]:
    names = []
    for item in fields:
        if item.type == "group":
            names += _answer_names(item.fields)
        elif item.type != "note":
            names.append(item.name)
    return names


def first_answers(fields: Iterable[Field]) -> dict[str, Clean]:
    """Give what stands in a form before anybody answers: question → its default; those without one are left out.

    A group's questions stand beside the others, as answers do; the rounds of a repeat begin by themselves.
    """
    found: dict[str, Clean] = {}
    for item in fields:
        if item.type == "group":
            found |= first_answers(item.fields)
        elif item.default is not None:
            found[item.name] = item.default
    return found


def constraint_text(form: Form, problem: Problem, language: str) -> str | None:
    """Give the form's own words for a problem with code "constraint"; None for other problems."""
    item = find_field(form, str(problem.params.get("field"))) if problem.code == "constraint" else None
    return item.constraint_message.get(language) or item.constraint_message.get("en") if item else None


def decision_values(form: Form, clean: Mapping[str, Clean], names: Collection[str]) -> dict[str, Decision]:
    """Pick the answers that may enter the state of a run: coded, counted or dated, never free text.

    Args:
        form: the form that was answered.
        clean: its clean answers.
        names: value names that the path reads.

    Returns:
        Value name → decision value; None for a question of the form that was not answered, so that no answer of an
        earlier round stays behind. Amounts lose their currency, moments their time of day. At most 50 codes a list.
    """
    wanted = {item.name: item for item in _top_fields(form.fields) if item.name in names and item.type in _DECIDING}
    return {name: _decision(item, clean.get(name)) for name, item in wanted.items()}


def _calculated_date(text: str) -> date | None:
    """Read a worked-out date, which is kept as text; any other worked-out text stays out of a run's state."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _top_fields(fields: tuple[Field, ...]) -> list[Field]:
    return [inner for item in fields for inner in (_top_fields(item.fields) if item.type == "group" else [item])]


def _decision(item: Field, clean: Clean) -> Decision:
    value = typed_value(item, clean)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, list):
        return tuple(str(code) for code in value[:50])
    if item.type == "calculate" and isinstance(value, str):
        return _calculated_date(value)
    return value if isinstance(value, str | int | bool | Decimal | date) else None
