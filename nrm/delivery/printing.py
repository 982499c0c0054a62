"""Print a form, blank or filled in, as one page of HTML for A4 paper: no script, no style inside the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nrm.delivery.conditions_in_words import Wordings, in_words
from nrm.delivery.written import Hand, write_answer
from nrm.i18n import catalogue, say
from nrm.rules.form_schema import CodeLabels
from nrm.rules.forms import Field, Form, Texts

STYLE: Final = "print.css"
"""Name of the style sheet; the doors serve it, or lay it beside the page."""
_CATALOGUE: Final = "printing"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb"})
_LINES: Final = {"long": 4, "note": 0, "calculate": 0}
_EMPTY_ROUNDS: Final = 3
_LEFTWARD: Final = frozenset({"phone", "integer", "decimal", "money", "geopoint", "file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice on paper."""

    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A question on paper.

    Attributes:
        kind: group, repeat, one (round boxes), some (square boxes) or plain.
        label: the question.
        hint: help below it.
        required: it must be answered.
        condition: when it is to be answered, in words; "" for always.
        options: what can be chosen.
        answer: what was answered; None leaves room for writing.
        lines: lines to write on.
        leftward: the answer is written from left to right in any language.
        inner: the questions of a group.
        rounds: the questions of each round of a repeat.
    """

    kind: str
    label: str
    hint: str = ""
    required: bool = False
    condition: str = ""
    options: tuple[Option, ...] = ()
    answer: str | None = None
    lines: int = 1
    leftward: bool = False
    inner: tuple[Entry, ...] = ()
    rounds: tuple[tuple[Entry, ...], ...] = ()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def print_form(
    form: Form,
    language: str,
    *,
    code_lists: CodeLabels,
    answers: Mapping[str, object] | None = None,
    case_number: str = "",
    style: str = STYLE,
    hand: Hand | None = None,
) -> str:
    """Print a form.

    Args:
        form: the form.
        language: ar, ckb or en.
        code_lists: code list → code → label in each language.
        answers: what was answered; None prints it blank.
        case_number: number of the case; "" leaves room to write it.
        style: address of the style sheet.
        hand: how answers are written; None for the language without a country.

    Returns:
        A whole HTML page.
    """
    printing = _Printing(form, language, code_lists, hand or Hand(language=language))
    return (
        _environment()
        .get_template("form.html")
        .render(
            language=language,
            direction="rtl" if language in _RIGHT_TO_LEFT else "ltr",
            style=style,
            title=_text(form.title, language),
            case_number=case_number,
            words=catalogue(_CATALOGUE, language),
            version=say(_CATALOGUE, "version", language, {"form": form.key, "version": form.version}),
            entries=tuple(printing.entries(form.fields, answers)),
        )
    )


def print_slip(at: datetime, place: str, hand: Hand, *, style: str = STYLE) -> str:
    """Print a slip for the returnee with the appointment and nothing else: nobody who finds it learns whose it is.

    Args:
        at: the moment of the appointment.
        place: where it is; "" leaves the line out.
        hand: how it is written.
        style: address of the style sheet.

    Returns:
        A whole HTML page.
    """
    local = at.astimezone(hand.zone)
    return (
        _environment()
        .get_template("slip.html")
        .render(
            language=hand.language,
            direction="rtl" if hand.language in _RIGHT_TO_LEFT else "ltr",
            style=style,
            words=catalogue(_CATALOGUE, hand.language),
            day=hand.weekday(local.date()),
            hour=hand.number(f"{local:%H:%M}"),
            place=place,
        )
    )


def _text(texts: Texts, language: str) -> str:
    return texts.get(language) or texts.get("en", "")


@dataclass(slots=True)
class _Printing:
    """One form in one language."""

    form: Form
    language: str
    code_lists: CodeLabels
    hand: Hand
    wordings: Wordings = field(init=False)

    def __post_init__(self) -> None:
        fields = tuple(self.form.walk())
        self.wordings = Wordings(
            language=self.language,
            labels={item.name: _text(item.label, self.language) for item in fields if item.label},
            options={item.name: self.options(item) for item in fields},
        )

    def options(self, item: Field) -> dict[str, str]:
        if item.type == "yes_no":
            return {"True": self.say("yes"), "False": self.say("no")}
        if item.type == "acknowledge":
            return {"True": self.say("agreed")}
        name = item.list or ""
        if name.startswith("code_list:"):
            labels: Mapping[str, Texts] = self.code_lists.get(name.removeprefix("code_list:"), {})
        else:
            labels = {choice.name: choice.label for choice in self.form.choices.get(name, ())}
        return {code: _text(texts, self.language) for code, texts in labels.items()}

    def say(self, code: str) -> str:
        return say(_CATALOGUE, code, self.language) or code

    def entries(self, fields: tuple[Field, ...], answers: Mapping[str, object] | None) -> Iterator[Entry]:
        for item in fields:
            if item.type != "calculate" or (answers is not None and item.label and item.name in answers):
                yield self.entry(item, answers)

    def entry(self, item: Field, answers: Mapping[str, object] | None) -> Entry:
        label, hint = _text(item.label, self.language), _text(item.hint, self.language)
        condition = ""
        if item.relevant is not None and answers is None:
            condition = self.wordings.say("only_if", condition=in_words(item.relevant, self.wordings))
        if item.type == "group":
            inner = tuple(self.entries(item.fields, answers))
            return Entry(kind="group", label=label, hint=hint, condition=condition, inner=inner)
        if item.type == "repeat":
            rounds = tuple(tuple(self.entries(item.fields, round)) for round in _rounds(item, answers))
            hint = self.say("more_rounds") if answers is None else hint
            return Entry(kind="repeat", label=label, hint=hint, condition=condition, rounds=rounds)
        options = self.wordings.options[item.name]
        answer = None if answers is None else answers.get(item.name)
        chosen = {str(code) for code in answer} if isinstance(answer, list) else {str(answer)}
        return Entry(
            kind="some" if item.type in ("select_multiple", "acknowledge") else "one" if options else "plain",
            label=label,
            hint=hint or self.how(item),
            required=item.required and answers is None,
            condition=condition,
            options=tuple(Option(label=text, chosen=code in chosen) for code, text in options.items()),
            answer=None if answers is None or item.type == "note" else write_answer(item.type, answer, self.hand),
            lines=_LINES.get(item.type, 1),
            leftward=item.type in _LEFTWARD,
        )

    def how(self, item: Field) -> str:
        if item.type == "select_multiple":
            return self.say("choose_some")
        return self.say("attached") + ": ☐" if item.type == "file" else ""


def _rounds(item: Field, answers: Mapping[str, object] | None) -> Iterator[Mapping[str, object] | None]:
    if answers is None:
        yield from [None] * max(item.least, min(_EMPTY_ROUNDS, item.most))
        return
    given = answers.get(item.name)
    for entry in given if isinstance(given, list) else ():
        if isinstance(entry, Mapping):
            yield entry
