"""Everything that a diagram may name, with its name in the reader's language: what the editor offers to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from nrm.actions.path_checks import OUTCOME_LISTS
from nrm.actions.path_facts import Installed, installed
from nrm.actors import Actor
from nrm.countries import ItemKind, Json
from nrm.db import db
from nrm.engine.lint import Known
from nrm.errors import NotValid
from nrm.models import Path, PathVersion
from nrm.queries import packs, path_drafts
from nrm.queries.packs import PackData
from nrm.rules.forms import Field, Form, Texts, parse_form
from nrm.vocabulary import PathStatus

CALENDARS: Final = ("working", "clock")
ANCHORS: Final = ("opened", "arrival", "return")
CORRELATIONS: Final = ("run", "case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing that may be chosen: what the diagram writes, and its name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTerm:
    """A question whose answer a condition may read.

    Attributes:
        choices: the answers, for a question with a list.
        in_repeat: it is asked in rounds, so that a condition cannot read it as one value.
    """

    name: str
    type: str
    label: str
    choices: tuple[Term, ...]
    in_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTerm:
    """A form that a task may ask."""

    key: str
    title: str
    fields: tuple[FieldTerm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTerm:
    """A registered check or effect: its parameters, and the values of the run that it sets."""

    key: str
    params: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTableTerm:
    """A decision table: the values that it reads and sets."""

    key: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTableTerm:
    """A table from a value to a path."""

    key: str
    name: str
    entries: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingTerm:
    """A setting that a duration may name."""

    key: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTerm:
    """A path that may be called.

    Attributes:
        versions: numbers of its versions that may be pinned, the newest first.
        values: names of the values with which it is started.
    """

    key: str
    name: str
    versions: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathVocabulary:
    """What a diagram may name.

    Attributes:
        roles: roles of desks.
        organisations: kinds of organisations.
        services: categories of services.
        outcomes: codes that an end may carry.
        messages: names of messages that something sends.
        ladders: ladders of escalation.
        calendars: how the time of a task counts.
        anchors: from when it counts.
        correlations: whom a message reaches.
        levels: how confidential a path may be.
        languages: in which every text must stand.
    """

    roles: tuple[Term, ...]
    organisations: tuple[Term, ...]
    forms: tuple[FormTerm, ...]
    services: tuple[Term, ...]
    outcomes: tuple[Term, ...]
    stages: tuple[Term, ...]
    checks: tuple[CheckTerm, ...]
    messages: tuple[str, ...]
    decision_tables: tuple[DecisionTableTerm, ...]
    call_tables: tuple[CallTableTerm, ...]
    settings: tuple[SettingTerm, ...]
    paths: tuple[PathTerm, ...]
    ladders: tuple[Term, ...]
    purposes: tuple[Term, ...]
    levels: tuple[Term, ...]
    calendars: tuple[str, ...]
    anchors: tuple[str, ...]
    correlations: tuple[str, ...]
    languages: tuple[str, ...]


def path_vocabulary(actor: Actor, *, language: str, draft_id: str | None = None) -> PathVocabulary:
    """Give everything that a diagram may name.

    Args:
        actor: who asks.
        language: of the names.
        draft_id: a draft, whose own forms take the place of those installed.

    Raises:
        NotAllowed: the actor may not see drafts.
        NotFound: there is no such draft.
    """
    path_drafts.must_see(actor)
    own = path_drafts.draft(actor, draft_id).forms if draft_id is not None else {}
    return _Teller(installed(), packs.pack(), language).tell(own)


class _Teller:
    """Names things in one language."""

    def __init__(self, here: Installed, pack: PackData, language: str) -> None:
        self.here, self.pack, self.language = here, pack, language

    def tell(self, own: Mapping[str, Mapping[str, Json]]) -> PathVocabulary:
        known: Known = self.here.known
        return PathVocabulary(
            roles=self.named({key: self.pack.role_names.get(key, {}) for key in known.roles}),
            organisations=self.named({entry.kind: {} for entry in self.here.pack.organisations}),
            forms=tuple(self.forms({**self.here.pack.forms, **own})),
            services=self.codes("service_category"),
            outcomes=tuple(term for name in OUTCOME_LISTS for term in self.codes(name)),
            stages=self.labels("stage"),
            checks=tuple(
                CheckTerm(key=key, params=tuple(sorted(check.params)), values=tuple(sorted(check.values)))
                for key, check in sorted(known.checks.items())
            ),
            messages=tuple(sorted(known.messages)),
            decision_tables=tuple(
                DecisionTableTerm(key=key, inputs=tuple(sorted(table.inputs)), outputs=tuple(sorted(table.outputs)))
                for key, table in sorted(known.tables.items())
            ),
            call_tables=tuple(self.call_tables()),
            settings=tuple(self.settings()),
            paths=tuple(self.paths(known)),
            ladders=self.items(ItemKind.LADDER),
            purposes=self.codes("consent_purpose"),
            levels=self.labels("level"),
            calendars=CALENDARS,
            anchors=ANCHORS,
            correlations=CORRELATIONS,
            languages=known.languages,
        )

    def say(self, names: object, key: str) -> str:
        """Choose the text of the reader's language, English otherwise, the key when there is none."""
        texts = names if isinstance(names, Mapping) else {}
        return str(texts.get(self.language) or texts.get("en") or key)

    def named(self, names: Mapping[str, Mapping[str, str]]) -> tuple[Term, ...]:
        return tuple(Term(key=key, name=self.say(texts, key)) for key, texts in sorted(names.items()))

    def codes(self, name: str) -> tuple[Term, ...]:
        entries = self.pack.codes.get(name, {})
        return tuple(Term(key=key, name=self.say(code.names, key)) for key, code in entries.items() if code.active)

    def labels(self, group: str) -> tuple[Term, ...]:
        said: dict[str, dict[str, str]] = {}
        for language, texts in self.pack.labels.items():
            entries = texts.get(group)
            for key, text in entries.items() if isinstance(entries, dict) else ():
                said.setdefault(key, {})[language] = str(text)
        return tuple(Term(key=key, name=self.say(texts, key)) for key, texts in said.items())

    def items(self, kind: ItemKind) -> tuple[Term, ...]:
        return tuple(
            Term(key=key, name=self.say(content.get("names"), key))
            for key, content in sorted(self.here.pack.contents(kind).items())
            if isinstance(content, dict)
        )

    def call_tables(self) -> Iterator[CallTableTerm]:
        names = {term.key: term.name for term in self.items(ItemKind.CALL_TABLE)}
        for key, entries in sorted(self.here.resources.call_tables.items()):
            yield CallTableTerm(key=key, name=names.get(key, key), entries=entries)

    def settings(self) -> Iterator[SettingTerm]:
        names = {term.key: term.name for term in self.items(ItemKind.SETTING)}
        for key, value in sorted(self.here.resources.settings.items()):
            yield SettingTerm(key=key, name=names.get(key, key), value=value)

    def paths(self, known: Known) -> Iterator[PathTerm]:
        versions: dict[str, list[int]] = {}
        usable = PathVersion.status != str(PathStatus.DRAFT)
        for path_id, number in db.session.execute(
            select(PathVersion.path_id, PathVersion.number).where(usable).order_by(PathVersion.number.desc())
        ):
            versions.setdefault(path_id, []).append(number)
        for path_id, key, names in db.session.execute(select(Path.id, Path.key, Path.names).order_by(Path.key)):
            values = tuple(sorted(known.passed.get(key, frozenset())))
            numbers = tuple(versions.get(path_id, ()))
            yield PathTerm(key=key, name=self.say(names, key), versions=numbers, values=values)

    def forms(self, contents: Mapping[str, object]) -> Iterator[FormTerm]:
        for key, content in sorted(contents.items()):
            try:
                form = parse_form(content)
            except NotValid:
                continue
            fields = tuple(self.fields(form, form.fields, in_repeat=False))
            yield FormTerm(key=key, title=self.say(form.title, key), fields=fields)

    def fields(self, form: Form, fields: tuple[Field, ...], *, in_repeat: bool) -> Iterator[FieldTerm]:
        for item in fields:
            if item.type in {"group", "repeat"}:
                yield from self.fields(form, item.fields, in_repeat=in_repeat or item.type == "repeat")
            elif item.type != "note":
                yield FieldTerm(
                    name=item.name,
                    type=item.type,
                    label=self.say(item.label, item.name),
                    choices=self.choices(form, item.list or ""),
                    in_repeat=in_repeat,
                )

    def choices(self, form: Form, name: str) -> tuple[Term, ...]:
        if name.startswith("code_list:"):
            return self.codes(name.removeprefix("code_list:"))
        labels: dict[str, Texts] = {choice.name: choice.label for choice in form.choices.get(name, ())}
        return tuple(Term(key=key, name=self.say(label, key)) for key, label in labels.items())
