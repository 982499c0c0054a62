"""What differs between two versions of a path, or a version and a draft: in words, and ready for two drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from nrm import i18n
from nrm.actors import Actor
from nrm.countries import Json
from nrm.db import db
from nrm.engine.compare import Compared, Difference, Element
from nrm.engine.confined_drawings import compare_confined, forms_confined
from nrm.errors import NotAllowed, NotFound, NotValid
from nrm.models import FormVersion, Path, PathVersion
from nrm.queries import path_drafts
from nrm.queries.path_turns import turn
from nrm.rules.form_changes import FormChange, compare_forms
from nrm.rules.forms import Form, parse_form

_REFERRING: Final = frozenset({"source", "target", "default", "host", "lane", "scope", "leave"})
"""Facts whose value is the id of another element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A version or a draft as it is compared.

    Attributes:
        number: the version's number; None for a draft.
        names: name of the path in each language.
        forms: content of each form that it asks, by key.
    """

    id: str
    path: str
    number: int | None
    names: Mapping[str, str]
    diagram: str
    forms: Mapping[str, Mapping[str, Json]]
    scenarios: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChange:
    """An element that was added or removed, in words."""

    element: str
    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One thing that an element says differently, in words."""

    element: str
    name: str
    what: str
    detail: str
    before: str | None
    after: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFactChange:
    """One thing that a form says differently, in words; `question` is "" for the form itself."""

    form: str
    question: str
    what: str
    detail: str
    before: str | None
    after: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioChange:
    """A scenario that was added, removed or changed."""

    name: str
    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDifference:
    """How a version or draft differs from another one.

    Attributes:
        layout_only: ids of elements that are only drawn elsewhere.
        same: nothing differs but the drawing.
    """

    added: tuple[ElementChange, ...]
    removed: tuple[ElementChange, ...]
    changed: tuple[FactChange, ...]
    forms: tuple[FormFactChange, ...]
    scenarios: tuple[ScenarioChange, ...]
    layout_only: tuple[str, ...]
    same: bool


def path_difference(actor: Actor, before_id: str, after_id: str, *, language: str) -> PathDifference:
    """Compare two versions or drafts.

    Args:
        actor: who asks.
        before_id: id of the earlier version or draft.
        after_id: id of the later one.
        language: of the texts.

    Raises:
        NotFound: there is no such version or draft.
        NotAllowed: the actor may not read paths, or drafts where one is named.
        BadPath: a diagram cannot be read, or comparing took too long.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        return tell_difference(content_of(actor, before_id), content_of(actor, after_id), language=language)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDifference:
    """How a version or draft differs from another one, in words and in two drawings with what differs marked."""

    told: PathDifference
    before: str
    after: str


def drawn_difference(actor: Actor, before_id: str, after_id: str, *, language: str) -> DrawnDifference:
    """Compare two versions or drafts, and draw both; arguments and errors as for `path_difference`."""
    with turn(actor):
        before, after = content_of(actor, before_id), content_of(actor, after_id)
        found = compare_confined(before.diagram.encode(), after.diagram.encode(), language=language)
        told = _tell(found.compared, before, after, language)
        return DrawnDifference(told=told, before=found.before, after=found.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """What was published since a draft began.

    Attributes:
        number: number of the newest version.
        difference: what it says differently from the version that the draft began with.
        conflicts: names of the elements, forms and scenarios that both of them changed.
    """

    number: int
    difference: PathDifference
    conflicts: tuple[str, ...]


def newer_than(actor: Actor, draft_id: str, *, language: str) -> Newer | None:
    """Say what was published since a draft began, and what of it the draft changes too.

    Args:
        actor: who asks.
        draft_id: the draft.
        language: of the texts.

    Returns:
        None for a draft that stands on the newest version, and for one that began without any.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see it.
        BadPath: a diagram cannot be read, or comparing took too long.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    row = path_drafts.draft(actor, draft_id).draft
    newest_id = db.session.execute(select(Path.latest_id).where(Path.key == row.path)).scalar_one_or_none()
    if row.base_version_id is None or newest_id in {None, row.base_version_id}:
        return None
    base, newest = content_of(actor, row.base_version_id), content_of(actor, str(newest_id))
    with turn(actor):
        theirs = tell_difference(base, newest, language=language)
        ours = tell_difference(base, content_of(actor, draft_id), language=language)
    mine = _touched(ours)
    conflicts = sorted({name for key, name in _touched(theirs).items() if key in mine})
    return Newer(number=newest.number or 0, difference=theirs, conflicts=tuple(conflicts))


def _touched(told: PathDifference) -> dict[str, str]:
    """Give everything that a difference is about: a key that tells it apart, and its name."""
    found = {f"element {each.element}": each.name for each in (*told.added, *told.removed)}
    found |= {f"element {each.element}": each.name for each in told.changed}
    found |= {f"form {each.form}": each.form for each in told.forms}
    return found | {f"scenario {each.name}": each.name for each in told.scenarios}


def content_of(actor: Actor, some_id: str) -> Content:
    """Give what a version or a draft holds.

    Raises:
        NotFound: there is no such version or draft.
        NotAllowed: the actor may not read it.
        BadPath: the diagram of a draft cannot be read, or took too long.
        Busy: too many diagrams are being worked on at this moment.
    """
    if some_id.startswith("drf_"):
        view = path_drafts.draft(actor, some_id)
        forms = {**_newest(forms_confined(view.diagram.encode()) - view.forms.keys()), **view.forms}
        number, path, names = None, view.draft.path, view.draft.names
        diagram, scenarios = view.diagram, view.scenarios
    else:
        if not actor.may("path.read"):
            raise NotAllowed("not_allowed", permission="path.read")
        row = db.session.execute(
            select(PathVersion, Path.key, Path.names)
            .join(Path, Path.id == PathVersion.path_id)
            .where(PathVersion.id == some_id)
        ).one_or_none()
        if row is None:
            raise NotFound
        version, path, names = row
        forms, number = _frozen(version.forms), version.number
        diagram, scenarios = version.diagram, version.scenarios
    return Content(id=some_id, path=path, number=number, names=names, diagram=diagram, forms=forms, scenarios=scenarios)


def _frozen(forms: Mapping[str, str]) -> dict[str, Mapping[str, Json]]:
    rows = db.session.execute(
        select(FormVersion.key, FormVersion.content).where(FormVersion.id.in_(sorted(forms.values())))
    )
    return {key: content for key, content in rows}  # noqa: C416 - rows are not pairs to mypy


def _newest(keys: frozenset[str]) -> dict[str, Mapping[str, Json]]:
    newest = select(FormVersion.key, func.max(FormVersion.number).label("number")).group_by(FormVersion.key).subquery()
    rows = db.session.execute(
        select(FormVersion.key, FormVersion.content)
        .join(newest, (newest.c.key == FormVersion.key) & (newest.c.number == FormVersion.number))
        .where(FormVersion.key.in_(sorted(keys)))
    )
    return {key: content for key, content in rows}  # noqa: C416 - rows are not pairs to mypy


def tell_difference(before: Content, after: Content, *, language: str) -> PathDifference:
    """Compare two contents and put what differs into words.

    Raises:
        BadPath: a diagram cannot be read, or comparing took too long.
        Busy: too many diagrams are being worked on at this moment.
    """
    found = compare_confined(before.diagram.encode(), after.diagram.encode())
    return _tell(found.compared, before, after, language)


def _tell(compared: Compared, before: Content, after: Content, language: str) -> PathDifference:
    teller = _Teller(compared, language)
    added = tuple(teller.element(each, "added") for each in compared.added)
    removed = tuple(teller.element(each, "removed") for each in compared.removed)
    changed = tuple(teller.fact(each) for each in compared.changed)
    forms = tuple(
        teller.form(key, change)
        for key in sorted({*before.forms, *after.forms})
        for change in compare_forms(_form(before.forms.get(key)), _form(after.forms.get(key)))
    )
    scenarios = tuple(_scenarios(before.scenarios, after.scenarios, language))
    return PathDifference(
        added=added,
        removed=removed,
        changed=changed,
        forms=forms,
        scenarios=scenarios,
        layout_only=compared.layout_only,
        same=not (added or removed or changed or forms or scenarios),
    )


def _form(content: Mapping[str, Json] | None) -> Form | None:
    if content is None:
        return None
    try:
        return parse_form(content)
    except NotValid:
        return None


def _scenarios(before: Mapping[str, object], after: Mapping[str, object], language: str) -> list[ScenarioChange]:
    found = []
    for name in sorted({*before, *after}):
        what = "added" if name not in before else "removed" if name not in after else "changed"
        if what != "changed" or before[name] != after[name]:
            text = _say(f"scenario_{what}", language, name=name)
            found.append(ScenarioChange(name=name, what=what, text=text))
    return found


def _say(code: str, language: str, **params: str) -> str:
    return i18n.say("differences", code, language, params) or code


class _Teller:
    """Puts changes into words of one language."""

    def __init__(self, compared: Compared, language: str) -> None:
        self.names, self.language = compared.names, language

    def name(self, element: str) -> str:
        """Give what an element is called; its id when it has no name."""
        names = self.names.get(element, {})
        return names.get(self.language) or names.get("en") or element

    def label(self, group: str, code: str) -> str:
        """Give the word for a kind of element or a thing that it says."""
        return i18n.say("differences", f"{group}.{code}", self.language) or code

    def element(self, each: Element, what: str) -> ElementChange:
        """Tell of an element that was added or removed."""
        name = each.names.get(self.language) or each.names.get("en") or each.id
        text = _say(what, self.language, name=name, kind=self.label("kind", each.kind))
        return ElementChange(element=each.id, kind=each.kind, name=name, text=text)

    def fact(self, each: Difference) -> FactChange:
        """Tell of one thing that an element says differently."""
        before, after = (self.value(each.what, value) for value in (each.before, each.after))
        name = self.name(each.element)
        return FactChange(
            element=each.element,
            name=name,
            what=each.what,
            detail=each.detail,
            before=each.before,
            after=each.after,
            text=self.sentence(name, each.what, each.detail, before, after),
        )

    def form(self, key: str, change: FormChange) -> FormFactChange:
        """Tell of one thing that a form says differently."""
        name = f"{key}: {change.question}" if change.question else key
        if change.what in {"added", "removed", "order"}:
            code = f"{'question' if change.question else 'form'}_{change.what}"
            text = _say(code, self.language, name=name)
        else:
            text = self.sentence(name, f"form.{change.what}", change.detail, change.before, change.after)
        return FormFactChange(
            form=key,
            question=change.question,
            what=change.what,
            detail=change.detail,
            before=change.before,
            after=change.after,
            text=text,
        )

    def value(self, what: str, value: str | None) -> str | None:
        """Give a value as people read it: the name of an element in the place of its id."""
        if value is None:
            return None
        if what == "kind":
            return self.label("kind", value)
        return self.name(value) if what in _REFERRING else value

    def sentence(self, name: str, what: str, detail: str, before: str | None, after: str | None) -> str:
        """Say what something was and is."""
        label = self.label("what", what)
        if detail:
            label = f"{label} ({i18n.say('differences', f'language.{detail}', self.language) or detail})"
        if before is None:
            return _say("set", self.language, name=name, what=label, after=after or "")
        if after is None:
            return _say("unset", self.language, name=name, what=label, before=before)
        return _say("changed", self.language, name=name, what=label, before=before, after=after)
