"""Form files: the questions of a task, in XLSForm words, as JSON.

A group only holds questions together: its answers stand beside the others, under their own names, and when the
group is not relevant neither are they. A repeat is asked in rounds: its answer is a list of objects. Names are
unique in the whole form. A condition may read questions that stand before it, the rounds of a repeat as a list, and
the run's values that the form names under "uses".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nrm.errors import NotValid, Problem
from nrm.expressions import BadExpression, Expression, parse
from nrm.rules.answer_types import Clean
from nrm.rules.form_defaults import default_of
from nrm.rules.texts import WrongValue, clean_text

LANGUAGES: Final = ("ar", "ckb", "en")
TYPES: Final = frozenset(
    [
        "text",
        "long",
        "phone",
        "integer",
        "decimal",
        "money",
        "date",
        "datetime",
        "select_one",
        "select_multiple",
        "acknowledge",
        "yes_no",
        "note",
        "file",
        "geopoint",
        "group",
        "repeat",
        "calculate",
        "person",
        "organisation",
        "service",
    ]
)
CLASSES: Final = ("public", "personal", "sensitive")
ROUNDS: Final = 50
"""Most rounds of a repeat."""
_MOST_FIELDS: Final = 300
_DEEPEST: Final = 5
_LONGEST_TEXT: Final = 4_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FORM_KEYS: Final = frozenset({"form", "version", "title", "description", "choices", "fields", "uses"})
_FIELD_KEYS: Final = frozenset(
    [
        "type",
        "name",
        "label",
        "hint",
        "required",
        "relevant",
        "constraint",
        "constraint_message",
        "calculation",
        "list",
        "fields",
        "class",
        "appearance",
        "default",
        "min",
        "max",
    ]
)

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer that may be chosen."""

    name: str
    label: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question, or a group or repeat of questions.

    Attributes:
        type: one of `TYPES`.
        name: key of its answer.
        label: the question in each language.
        hint: help below the question.
        required: it must be answered when it is relevant.
        relevant: it is asked only when this is true; None for always.
        constraint: must be true of the answer, which it calls ".".
        constraint_message: what to say otherwise.
        calculation: how a "calculate" field is worked out.
        list: name of a choice list of the form, or "code_list:NAME".
        fields: the questions of a group or repeat.
        sensitivity: class of the answer: public, personal or sensitive.
        appearance: a hint for the page; "phone" makes a phone number of a text.
        default: what stands there before anybody answers; None for nothing.
        least: fewest rounds of a repeat.
        most: most rounds of a repeat.
    """

    type: str
    name: str
    label: Texts = field(default_factory=dict)
    hint: Texts = field(default_factory=dict)
    required: bool = False
    relevant: Expression | None = None
    constraint: Expression | None = None
    constraint_message: Texts = field(default_factory=dict)
    calculation: Expression | None = None
    list: str | None = None
    fields: tuple[Field, ...] = ()
    sensitivity: str = "personal"
    appearance: str | None = None
    default: Clean = None
    least: int = 0
    most: int = ROUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A whole form, as one version.

    Attributes:
        key: name of the form.
        version: version number, ≥ 1.
        title: its title in each language.
        description: what it is for, in each language; {} for nothing.
        choices: choice list name → choices in order.
        fields: the questions in order.
        uses: names of values of the run that conditions may read.
    """

    key: str
    version: int
    title: Texts
    choices: Mapping[str, tuple[Choice, ...]]
    fields: tuple[Field, ...]
    uses: frozenset[str] = frozenset()
    description: Texts = field(default_factory=dict)

    def walk(self) -> Iterator[Field]:
        """Give every question, group and repeat in order."""
        yield from _walk(self.fields)


def _walk(fields: tuple[Field, ...]) -> Iterator[Field]:
    for item in fields:
        yield item
        yield from _walk(item.fields)


def find_field(form: Form, name: str) -> Field | None:
    """Find a question by its name."""
    return next((item for item in form.walk() if item.name == name), None)


def parse_form(data: object, *, code_lists: Collection[str] | None = None) -> Form:
    """Read a form file.

    Args:
        data: the parsed JSON.
        code_lists: names of the pack's code lists, to check "code_list:NAME"; None leaves them unchecked.

    Raises:
        NotValid: the file has mistakes; all of them are listed, by pointer.
    """
    reader = _Reader(code_lists)
    form = reader.form(data)
    if reader.problems or form is None:
        raise NotValid(reader.problems, "bad_form")
    return form


class _Reader:
    """Reads one form file and collects what is wrong with it."""

    def __init__(self, code_lists: Collection[str] | None) -> None:
        self.problems: list[Problem] = []
        self.code_lists = code_lists
        self.choices: dict[str, tuple[Choice, ...]] = {}
        self.names: set[str] = set()
        self.all_names: frozenset[str] = frozenset()

    def wrong(self, pointer: str, code: str, **params: str | int | None) -> None:
        self.problems.append(Problem(pointer=pointer, code=code, params=params))

    def form(self, data: object) -> Form | None:
        if not isinstance(data, Mapping):
            self.wrong("", "not_an_object")
            return None
        self.unknown_keys(data, _FORM_KEYS, "")
        key, version, uses = data.get("form"), data.get("version"), data.get("uses", [])
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            self.wrong("/form", "bad_name")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            self.wrong("/version", "not_an_integer")
        if not isinstance(uses, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in uses):
            self.wrong("/uses", "bad_name")
            uses = []
        texts = {
            "title": self.texts(data.get("title"), "/title"),
            "description": self.texts(data.get("description"), "/description", needed=False),
        }
        self.read_choices(data.get("choices", {}))
        self.all_names = frozenset(_names_in(data.get("fields")))
        fields = self.fields(data.get("fields"), "/fields", frozenset(uses), 1)
        if self.problems or not isinstance(version, int):
            return None
        return Form(key=str(key), version=version, choices=self.choices, fields=fields, uses=frozenset(uses), **texts)

    def unknown_keys(self, data: Mapping[str, object], known: frozenset[str], pointer: str) -> None:
        for name in sorted(set(data) - known):
            self.wrong(f"{pointer}/{name}", "unknown_key")

    def texts(self, data: object, pointer: str, *, needed: bool = True) -> Texts:
        if data in (None, {}) and not needed:
            return {}
        if not isinstance(data, Mapping):
            self.wrong(pointer, "text_missing", language=", ".join(LANGUAGES))
            return {}
        for language in LANGUAGES:
            text = data.get(language)
            if not isinstance(text, str) or not text.strip():
                self.wrong(f"{pointer}/{language}", "text_missing", language=language)
        for language, text in data.items():
            try:
                clean_text(text, longest=_LONGEST_TEXT, lines=True)
            except WrongValue as wrong:
                if wrong.code != "not_text":
                    self.wrong(f"{pointer}/{language}", wrong.code, **wrong.params)
        return {str(language): str(text) for language, text in data.items()}

    def read_choices(self, data: object) -> None:
        if not isinstance(data, Mapping):
            self.wrong("/choices", "not_an_object")
            return
        for name, entries in data.items():
            self.choices[str(name)] = self.choice_list(entries, f"/choices/{name}")

    def choice_list(self, entries: object, pointer: str) -> tuple[Choice, ...]:
        if not isinstance(entries, list) or not entries:
            self.wrong(pointer, "empty_list")
            return ()
        found: dict[str, Choice] = {}
        for place, entry in enumerate(entries):
            here = f"{pointer}/{place}"
            name = entry.get("name") if isinstance(entry, Mapping) else None
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
                self.wrong(f"{here}/name", "bad_name")
            elif name in found:
                self.wrong(f"{here}/name", "duplicate_name", name=name)
            else:
                found[name] = Choice(name=name, label=self.texts(entry.get("label"), f"{here}/label"))
        return tuple(found.values())

    def fields(self, data: object, pointer: str, visible: frozenset[str], depth: int) -> tuple[Field, ...]:
        if not isinstance(data, list) or not data:
            self.wrong(pointer, "empty_list")
            return ()
        if depth > _DEEPEST:
            self.wrong(pointer, "too_deep", deepest=_DEEPEST)
            return ()
        found = []
        for place, entry in enumerate(data):
            item = self.field(entry, f"{pointer}/{place}", visible, depth)
            if item is not None:
                found.append(item)
                visible |= {item.name} | (_own_names(item) if item.type == "group" else frozenset())
        return tuple(found)

    def field(self, data: object, pointer: str, visible: frozenset[str], depth: int) -> Field | None:
        if not isinstance(data, Mapping):
            self.wrong(pointer, "not_an_object")
            return None
        self.unknown_keys(data, _FIELD_KEYS, pointer)
        kind, name = data.get("type"), self.name(data.get("name"), pointer)
        if kind not in TYPES:
            self.wrong(f"{pointer}/type", "unknown_type", type=str(kind)[:40])
            return None
        if len(self.names) > _MOST_FIELDS:
            self.wrong(pointer, "too_many_fields", most=_MOST_FIELDS)
            return None
        inner: tuple[Field, ...] = ()
        if kind in ("group", "repeat"):
            inner = self.fields(data.get("fields"), f"{pointer}/fields", visible, depth + 1)
        elif "fields" in data:
            self.wrong(f"{pointer}/fields", "unknown_key")
        constraint = self.expression(data, "constraint", pointer, visible | {name})
        appearance = str(data["appearance"]) if "appearance" in data else None
        return Field(
            type=str(kind),
            name=name,
            label=self.texts(data.get("label"), f"{pointer}/label", needed=kind != "calculate"),
            hint=self.texts(data.get("hint"), f"{pointer}/hint", needed=False),
            required=self.flag(data.get("required", False), f"{pointer}/required"),
            relevant=self.expression(data, "relevant", pointer, visible),
            constraint=constraint,
            constraint_message=self.texts(
                data.get("constraint_message"), f"{pointer}/constraint_message", needed=constraint is not None
            ),
            calculation=self.calculation(data, pointer, visible),
            list=self.list_name(data, pointer),
            fields=inner,
            sensitivity=self.one_of(data.get("class", "personal"), CLASSES, f"{pointer}/class"),
            appearance=appearance,
            default=self.default(data, pointer),
            least=self.rounds(data.get("min", 0), f"{pointer}/min"),
            most=self.rounds(data.get("max", ROUNDS), f"{pointer}/max"),
        )

    def name(self, name: object, pointer: str) -> str:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.wrong(f"{pointer}/name", "bad_name")
            return ""
        if name in self.names:
            self.wrong(f"{pointer}/name", "duplicate_name", name=name)
        self.names.add(name)
        return name

    def flag(self, value: object, pointer: str) -> bool:
        if not isinstance(value, bool):
            self.wrong(pointer, "not_true_or_false")
        return value is True

    def one_of(self, value: object, known: tuple[str, ...], pointer: str) -> str:
        if value not in known:
            self.wrong(pointer, "not_a_choice", choices=", ".join(known))
        return str(value)

    def rounds(self, value: object, pointer: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= ROUNDS:
            self.wrong(pointer, "out_of_range", least=0, most=ROUNDS)
            return ROUNDS
        return value

    def expression(
        self, data: Mapping[str, object], key: str, pointer: str, visible: frozenset[str]
    ) -> Expression | None:
        text = data.get(key)
        if text is None or text == "":
            return None
        here = f"{pointer}/{key}"
        if not isinstance(text, str):
            self.wrong(here, "not_text")
            return None
        try:
            expression = parse(text, this=key == "constraint")
        except BadExpression as wrong:
            self.wrong(here, "bad_expression", reason=wrong.code, position=wrong.position)
            return None
        for name in sorted(expression.names - visible):
            self.wrong(here, "later_name" if name in self.all_names else "unknown_name", name=name)
        return expression

    def calculation(self, data: Mapping[str, object], pointer: str, visible: frozenset[str]) -> Expression | None:
        if data["type"] == "calculate":
            if not data.get("calculation"):
                self.wrong(f"{pointer}/calculation", "required")
        elif "calculation" in data:
            self.wrong(f"{pointer}/calculation", "unknown_key")
        return self.expression(data, "calculation", pointer, visible)

    def default(self, data: Mapping[str, object], pointer: str) -> Clean:
        try:
            return default_of(data, self.choices)
        except WrongValue as wrong:
            self.wrong(f"{pointer}/default", wrong.code, **wrong.params)
            return None

    def list_name(self, data: Mapping[str, object], pointer: str) -> str | None:
        name = data.get("list")
        if data["type"] not in ("select_one", "select_multiple"):
            if name is not None:
                self.wrong(f"{pointer}/list", "unknown_key")
            return None
        if not isinstance(name, str) or not name:
            self.wrong(f"{pointer}/list", "required")
            return None
        wanted = name.removeprefix("code_list:")
        known = self.choices if wanted == name else self.code_lists
        if known is not None and wanted not in known:
            self.wrong(f"{pointer}/list", "unknown_list", name=wanted[:64])
        return name


def _own_names(item: Field) -> frozenset[str]:
    found = ({inner.name} | (_own_names(inner) if inner.type == "group" else set()) for inner in item.fields)
    return frozenset[str]().union(*found)


def _names_in(data: object) -> Iterator[str]:
    stack: list[object] = [data]
    while stack:
        fields = stack.pop()
        for entry in fields if isinstance(fields, list) else []:
            if isinstance(entry, Mapping):
                yield str(entry.get("name"))
                stack.append(entry.get("fields"))
