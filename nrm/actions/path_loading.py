"""Take the forms and diagrams of a pack over: forms as frozen versions, paths published once and drafted after that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import func, select, update

from nrm import ids
from nrm.actions._action import Work
from nrm.countries import BadPack, Item, ItemKind, Json, PackProblem
from nrm.engine.findings import Finding, Severity
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.steps import Resources
from nrm.errors import BadPath
from nrm.models import FormVersion, Path, PathDraft, PathVersion
from nrm.queries.packs import read_call_tables, read_settings
from nrm.queries.path_drafts import outdated_forms
from nrm.queries.paths import resources_to_json
from nrm.vocabulary import DraftStatus, PathStatus

Scenarios = Mapping[str, Mapping[str, dict[str, Json]]]
_SETTING: Final = re.compile(r"setting:\s*([a-z0-9_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormIds:
    """The stored versions of a pack's forms.

    Attributes:
        ids: form key → id of the version that says what the pack says.
        hashes: form key → SHA-256 of its content.
        new: keys of forms of which a version was added.
    """

    ids: Mapping[str, str]
    hashes: Mapping[str, str]
    new: tuple[str, ...]


def pack_resources(items: Iterable[Item]) -> Resources:
    """Give what diagrams may name, out of a pack's documents."""
    contents: dict[ItemKind, dict[str, Json]] = {kind: {} for kind in ItemKind}
    for item in items:
        contents[item.kind][item.key] = item.content
    return Resources(
        settings=read_settings(contents[ItemKind.SETTING]),
        tables={key: str(text) for key, text in contents[ItemKind.TABLE].items()},
        call_tables=read_call_tables(contents[ItemKind.CALL_TABLE]),
    )


def compile_paths(diagrams: Mapping[str, bytes], resources: Resources) -> dict[str, PathSpec]:
    """Parse all diagrams of a pack.

    Raises:
        BadPack: some cannot be used; every finding of every diagram is listed.
    """
    specs: dict[str, PathSpec] = {}
    problems: list[PackProblem] = []
    for key, diagram in diagrams.items():
        try:
            specs[key] = compile_path(diagram, resources=resources)
        except BadPath as error:
            problems += [path_problem(key, finding) for finding in error.findings if isinstance(finding, Finding)]
        else:
            if specs[key].key != key:
                problems.append(PackProblem(file=f"paths/{key}.bpmn", pointer="", code="name_differs_from_file"))
    if problems:
        raise BadPack(problems)
    return specs


def path_problem(key: str, finding: Finding) -> PackProblem:
    """Tell a finding on a diagram as a problem of the pack; the pointer is the element's id."""
    return PackProblem(
        file=f"paths/{key}.bpmn",
        pointer=finding.element,
        code=finding.code,
        params=dict(finding.params),
        warning=finding.severity is not Severity.ERROR,
    )


def load_forms(work: Work, forms: Mapping[str, dict[str, Json]]) -> FormIds:
    """Store a new frozen version of each form that says something new."""
    rows = work.session.execute(select(FormVersion.key, FormVersion.sha256, FormVersion.id))
    stored = {(key, digest): version_id for key, digest, version_id in rows}
    numbers = select(FormVersion.key, func.max(FormVersion.number)).group_by(FormVersion.key)
    newest = {key: number for key, number in work.session.execute(numbers)}  # noqa: C416 - rows are not pairs to mypy
    found: dict[str, str] = {}
    hashes: dict[str, str] = {}
    new = []
    for key, content in forms.items():
        hashes[key] = digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
        if (key, digest) not in stored:
            new.append(key)
            stored[key, digest] = work.add(
                FormVersion,
                id=ids.new_id("frm"),
                key=key,
                number=newest.get(key, 0) + 1,
                sha256=digest,
                content=content,
                created_at=work.now,
            )
        found[key] = stored[key, digest]
    return FormIds(ids=found, hashes=hashes, new=tuple(new))


def load_paths(
    work: Work,
    diagrams: Mapping[str, bytes],
    forms: FormIds,
    resources: Resources,
    scenarios: Scenarios | None = None,
) -> tuple[tuple[str, str], ...]:
    """Publish paths that are new, draft versions of those that changed.

    Args:
        work: the transaction.
        diagrams: path key → BPMN.
        forms: the stored versions of the forms.
        resources: settings and tables as they hold in the database.
        scenarios: path key → name → scenario.

    Returns:
        Path key and "published", "drafted", "unchanged" or "gone", in the order of the diagrams.

    Raises:
        BadPack: diagrams cannot be used with these resources, or name forms that are not there.
    """
    specs = compile_paths(diagrams, resources)
    stored = {row.key: row for row in work.session.scalars(select(Path))}
    taken = []
    for key, spec in specs.items():
        fresh = _fresh(spec, diagrams[key].decode(), forms, resources, (scenarios or {}).get(key, {}))
        taken.append((key, _take_path(work, stored.get(key), spec, fresh)))
    gone = ((key, "gone") for key, row in stored.items() if key not in specs and row.loaded_hash is not None)
    return (*taken, *gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    """A version as the pack has it: its columns, and the hash by which it is recognised."""

    columns: Mapping[str, object]
    digest: str


def _fresh(
    spec: PathSpec, diagram: str, forms: FormIds, resources: Resources, scenarios: Mapping[str, dict[str, Json]]
) -> _Fresh:
    used = used_resources(spec, diagram, resources)
    named = sorted({step.form for step in spec.steps.values() if step.form})
    missing = [name for name in named if name not in forms.ids]
    if missing:
        file = f"paths/{spec.key}.bpmn"
        raise BadPack([PackProblem(file=file, pointer="", code="unknown_form", params={"form": missing[0]})])
    whole = [diagram, {name: forms.hashes[name] for name in named}, resources_to_json(used), scenarios]
    return _Fresh(
        columns={
            "diagram": diagram,
            "sha256": hashlib.sha256(diagram.encode()).hexdigest(),
            "forms": {name: forms.ids[name] for name in named},
            "resources": resources_to_json(used),
            "scenarios": dict(scenarios),
        },
        digest=hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    )


def _take_path(work: Work, stored: Path | None, spec: PathSpec, fresh: _Fresh) -> str:
    if stored is not None and stored.loaded_hash == fresh.digest:
        return "unchanged"
    if stored is None:
        _publish_first(work, spec, fresh)
        return "published"
    _draft(work, stored, spec, fresh)
    work.session.execute(update(Path).where(Path.id == stored.id).values(loaded_hash=fresh.digest))
    return "drafted"


def _draft(work: Work, stored: Path, spec: PathSpec, fresh: _Fresh) -> None:
    """Leave what the pack says now as a draft; one that it left before and nobody has touched gives way."""
    untouched = (
        PathDraft.path_key == stored.key,
        PathDraft.status == str(DraftStatus.DRAFT),
        PathDraft.changed_by == work.actor.id,
        PathDraft.version == 1,
    )
    decided = {"status": str(DraftStatus.DISCARDED), "decided_at": work.now, "decided_by": work.actor.id}
    work.session.execute(update(PathDraft).where(*untouched).values(**decided))
    work.flush()
    forms = fresh.columns["forms"]
    draft_id = work.add(
        PathDraft,
        id=ids.new_id("drf"),
        path_key=stored.key,
        base_version_id=stored.latest_id,
        names=dict(spec.names),
        diagram=fresh.columns["diagram"],
        forms=outdated_forms(forms.values() if isinstance(forms, dict) else ()),
        scenarios=fresh.columns["scenarios"],
        status=str(DraftStatus.DRAFT),
        note="",
        version=1,
        created_at=work.now,
        created_by=work.actor.id,
        changed_at=work.now,
        changed_by=work.actor.id,
        changers=[work.actor.id],
    )
    work.record("path.drafted", stream="system", subject=("path_draft", draft_id), data={"path": stored.key})


def _publish_first(work: Work, spec: PathSpec, fresh: _Fresh) -> None:
    path_id, version_id = ids.new_id("pth"), ids.new_id("ver")
    work.add(
        Path,
        id=path_id,
        key=spec.key,
        names=dict(spec.names),
        level=spec.level,
        latest_id=version_id,
        loaded_hash=fresh.digest,
    )
    published = {"published_at": work.now, "published_by": work.actor.id}
    _add_version(work, path_id, 1, fresh, id=version_id, status=PathStatus.PUBLISHED, **published)
    work.record("path.published", stream="system", subject=("path", path_id), data={"path": spec.key, "number": 1})


def _add_version(work: Work, path_id: str, number: int, fresh: _Fresh, **columns: object) -> None:
    made = {"id": ids.new_id("ver"), "created_at": work.now, "created_by": work.actor.id}
    work.add(PathVersion, path_id=path_id, number=number, **{**made, **fresh.columns, **columns})


def used_resources(spec: PathSpec, diagram: str, resources: Resources) -> Resources:
    """Keep only what this diagram names: a changed setting must not touch paths that do not know it."""
    settings = set(_SETTING.findall(diagram))
    tables = {step.table for step in spec.steps.values() if step.table}
    call_tables = {step.call.table for step in spec.steps.values() if step.call and step.call.table}
    return Resources(
        settings={name: value for name, value in resources.settings.items() if name in settings},
        tables={key: text for key, text in resources.tables.items() if key in tables},
        call_tables={key: table for key, table in resources.call_tables.items() if key in call_tables},
    )
