"""Drafts and versions as files: written to be kept or carried to another installation, read to begin a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from nrm.actions.path_drafts import MOST_FORMS, begin_imported
from nrm.actions.path_findings import FindingView, told
from nrm.actions.path_scenarios import MOST_SCENARIOS, scenario_problems
from nrm.actors import Actor
from nrm.countries import Json
from nrm.engine.confined import import_diagram
from nrm.errors import NotAllowed, NotValid, Problem
from nrm.queries.path_differences import content_of
from nrm.queries.path_turns import turn
from nrm.rules.bundles import Bundle, read_bundle, write_bundle
from nrm.rules.drafts import EDIT

Contents = Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtIn:
    """A draft that began with a bundle.

    Attributes:
        id: id of the draft.
        changes: what the importer changed of the diagram, in words.
    """

    id: str
    path: str
    version: int
    changes: tuple[FindingView, ...]


def take_bundle(actor: Actor, some_id: str) -> tuple[str, bytes]:
    """Give a name for the file, and a zip with the diagram, the forms and the scenarios of a draft or a version.

    Raises:
        NotFound: there is no such draft or version.
        NotAllowed: the actor may not read it.
        BadPath: the diagram of a draft cannot be read, or took too long.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        content = content_of(actor, some_id)
    bundle = Bundle(
        path=content.path,
        names=content.names,
        diagram=content.diagram.encode(),
        forms=cast("Mapping[str, Mapping[str, object]]", content.forms),
        scenarios=cast("Mapping[str, Mapping[str, object]]", content.scenarios),
    )
    number = "draft" if content.number is None else f"v{content.number}"
    return f"{content.path}-{number}.zip", write_bundle(bundle)


def bring_bundle(actor: Actor, content: bytes, *, language: str) -> BroughtIn:
    """Begin a draft with a bundle: of the path of its key when there is one, else of a new path.

    Args:
        actor: who brings it.
        content: the zip's bytes.
        language: of the texts.

    Raises:
        NotAllowed: the actor may not change paths.
        NotValid: it is no bundle, too large, or one of its parts is wrong; nothing was begun.
        BadPath: its diagram cannot be read.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    if not actor.may(EDIT):
        raise NotAllowed("not_allowed", permission=EDIT)
    bundle = read_bundle(content)
    _must_fit(bundle)
    with turn(actor):
        imported = import_diagram(bundle.diagram)
    draft = begin_imported(
        actor,
        key=bundle.path,
        names=bundle.names,
        diagram=imported.xml.decode(),
        forms=cast(Contents, bundle.forms),
        scenarios=cast(Contents, bundle.scenarios),
    )
    changes = told(imported.findings, language)
    return BroughtIn(id=draft.id, path=bundle.path, version=draft.version, changes=changes)


def _must_fit(bundle: Bundle) -> None:
    """Stop at more forms and scenarios than a draft may have, and at scenarios that are none."""
    counted = (("forms", len(bundle.forms), MOST_FORMS), ("scenarios", len(bundle.scenarios), MOST_SCENARIOS))
    problems = [
        Problem(pointer=f"/{name}", code="too_many_entries", params={"most": most})
        for name, count, most in counted
        if count > most
    ]
    for name, scenario in cast(Contents, bundle.scenarios).items():
        problems += [
            Problem(pointer=f"/scenarios/{name}", code=each.code, params=each.params)
            for each in scenario_problems(scenario)
        ]
    if problems:
        raise NotValid(problems)
