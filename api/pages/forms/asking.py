"""A form's questions as a page asks them: with what was answered before, what is wrong, and when each is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from api.pages.forms.reading import PREFIX
from nrm.delivery.conditions_in_words import Wordings, in_words
from nrm.expressions import Expression, LimitExceeded, Value, evaluate, truthy
from nrm.expressions.transfer import to_json
from nrm.i18n import say
from nrm.rules.answer_types import typed_value
from nrm.rules.answers import first_answers
from nrm.rules.forms import Field, Form, Texts

Options: TypeAlias = "tuple[tuple[str, str], ...]"
Pick: TypeAlias = "Callable[[Field], Options]"
"""Gives the people, organisations or services that a question may name: id and what it is called."""

SHORT_LIST: Final = 6
"""Up to so many choices stand open; more are a list to open."""
_TYPED: Final[Mapping[str, str]] = {"integer": "number", "decimal": "number", "money": "number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question on a page.

    Attributes:
        kind: which part of the template asks it.
        name: field name.
        id: id of its element; the list of errors leads to it.
        key: the question's own name, for conditions.
        label: the question.
        hint: help below it.
        required: it must be answered.
        options: code and label of each choice.
        value: what stands in it.
        parts: parts of an amount or a point.
        chosen: codes that are chosen.
        errors: what is wrong with the answer.
        shown: it is asked, by the answers so far.
        condition: tree of its condition, as JSON; "" for always.
        condition_words: its condition in words, for browsers without a script.
        inner: the questions of a group.
        rounds: the questions of each round of a repeat.
        may_add: another round may be added.
        may_remove: a round may be taken away.
        earlier: the answer stands here from an earlier time.
    """

    kind: str
    name: str
    id: str
    key: str
    label: str
    hint: str = ""
    required: bool = False
    options: Options = ()
    value: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()
    errors: tuple[str, ...] = ()
    shown: bool = True
    condition: str = ""
    condition_words: str = ""
    inner: tuple[Question, ...] = ()
    rounds: tuple[tuple[Question, ...], ...] = ()
    may_add: bool = False
    may_remove: bool = False
    earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page needs to ask a form.

    Attributes:
        form: the form.
        language: ar, ckb or en.
        labels: code list → code → names.
        pick: gives ids that may be chosen.
        today: the day that conditions call today.
        uses: values of the run that conditions read.
        errors: pointer of an answer → what is wrong with it.
        earlier: pointers of answers that come from an earlier time.
        files: names of the files that were sent before.
    """

    form: Form
    language: str
    labels: Mapping[str, Mapping[str, Texts]]
    pick: Pick
    today: date
    uses: Mapping[str, Value] = field(default_factory=dict)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    earlier: bool = False
    files: Mapping[str, str] = field(default_factory=dict)


def ask(asked: Asked, answers: Mapping[str, object]) -> tuple[Question, ...]:
    """Make the questions of a form.

    Args:
        asked: the form and all that stands around it.
        answers: what was answered so far, checked or as it was typed.
    """
    return tuple(_Asking(asked).questions(asked.form.fields, answers, dict(asked.uses), PREFIX, ""))


class _Asking:
    """One form in one language."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        fields = tuple(asked.form.walk())
        self.wordings = Wordings(
            language=asked.language,
            labels={item.name: self.text(item.label) for item in fields if item.label},
            options={item.name: dict(self.options(item)) for item in fields},
        )

    def text(self, texts: Texts) -> str:
        return texts.get(self.asked.language) or texts.get("en", "")

    def options(self, item: Field) -> Options:
        if item.type == "yes_no":
            return tuple((code, say("printing", word, self.asked.language) or word) for code, word in _YES_NO)
        if item.type in {"person", "organisation", "service"}:
            return self.asked.pick(item)
        name = item.list or ""
        if name.startswith("code_list:"):
            entries = self.asked.labels.get(name.removeprefix("code_list:"), {})
            return tuple((code, self.text(names)) for code, names in entries.items())
        return tuple((choice.name, self.text(choice.label)) for choice in self.asked.form.choices.get(name, ()))

    def questions(
        self, fields: tuple[Field, ...], answers: Mapping[str, object], scope: dict[str, Value], before: str, at: str
    ) -> Iterator[Question]:
        for item in fields:
            if item.type == "calculate":
                scope[item.name] = self.worked_out(item.calculation, scope)
                continue
            shown = item.relevant is None or truthy(self.worked_out(item.relevant, scope))
            yield self.question(item, answers, scope, f"{before}.{item.name}", f"{at}/{item.name}", shown=shown)
            if item.type != "group":
                scope[item.name] = _typed(item, answers.get(item.name)) if shown else None

    def worked_out(self, expression: Expression | None, scope: Mapping[str, Value]) -> Value:
        if expression is None:
            return None
        try:
            return evaluate(expression, scope, today=self.asked.today)
        except LimitExceeded:
            return True

    def question(
        self,
        item: Field,
        answers: Mapping[str, object],
        scope: dict[str, Value],
        name: str,
        at: str,
        *,
        shown: bool,
    ) -> Question:
        value = answers.get(item.name)
        options = self.wordings.options.get(item.name, {}) if item.type != "text" else {}
        if item.type == "file" and isinstance(value, str) and value in self.asked.files:
            options = {value: self.asked.files[value]}
        inner: tuple[Question, ...] = ()
        if item.type == "group":
            before, _, _ = name.rpartition(".")
            inner = tuple(self.questions(item.fields, answers, scope, before, at.rpartition("/")[0]))
        rounds = tuple(self.rounds(item, value, scope, name, at))
        return Question(
            kind=_kind(item, len(options)),
            name=name,
            id="q-" + name.replace(".", "-"),
            key=item.name,
            label=self.text(item.label),
            hint=self.text(item.hint),
            required=item.required or (item.type == "repeat" and item.least > 0),
            options=tuple(options.items()),
            value=_written(value),
            parts={key: str(part) for key, part in value.items()} if isinstance(value, Mapping) else {},
            chosen=frozenset(str(code) for code in value) if isinstance(value, list | tuple) else _codes(value),
            errors=tuple(self.asked.errors.get(at, ())),
            shown=shown,
            condition=json.dumps(to_json(item.relevant), default=str) if item.relevant else "",
            condition_words=self.only_if(item.relevant),
            inner=inner,
            rounds=rounds,
            may_add=item.type == "repeat" and len(rounds) < item.most,
            may_remove=item.type == "repeat" and len(rounds) > item.least,
            earlier=self.asked.earlier and value not in (None, "", []),
        )

    def rounds(
        self, item: Field, value: object, scope: Mapping[str, Value], name: str, at: str
    ) -> Iterator[tuple[Question, ...]]:
        if item.type != "repeat":
            return
        given = [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
        first = first_answers(item.fields)
        given += [first] * (max(item.least, 1 if item.required else 0) - len(given))
        for place, entry in enumerate(given):
            yield tuple(self.questions(item.fields, entry, dict(scope), f"{name}.{place}", f"{at}/{place}"))

    def only_if(self, condition: Expression | None) -> str:
        if condition is None:
            return ""
        return self.wordings.say("only_if", condition=in_words(condition, self.wordings))


_YES_NO: Final = (("true", "yes"), ("false", "no"))


def _kind(item: Field, options: int) -> str:
    if item.type in {"select_one", "yes_no"}:
        return "one" if options <= SHORT_LIST else "list"
    if item.type in {"person", "organisation", "service"}:
        return "list" if options else "text"
    if item.type == "select_multiple":
        return "some"
    return item.type if item.type in _TYPED or item.type in _OWN else "text"


_OWN: Final = frozenset(
    ["long", "phone", "date", "datetime", "acknowledge", "note", "file", "geopoint", "group", "repeat"]
)


def _written(value: object) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if isinstance(value, str | int) else ""


def _codes(value: object) -> frozenset[str]:
    written = _written(value)
    return frozenset([written]) if written else frozenset()


def _typed(item: Field, value: object) -> Value:
    """Give an answer as conditions compare it; what cannot be read yet is no answer."""
    if item.type == "yes_no" and isinstance(value, str):
        value = {"true": True, "false": False}.get(value)
    if item.type == "acknowledge" and isinstance(value, str):
        value = value == "true"
    if item.type == "integer" and isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None
    try:
        return typed_value(item, value)  # type: ignore[arg-type]  # what was typed is looked at, not trusted
    except (ValueError, ArithmeticError, TypeError, KeyError):
        return None
