"""Plans that move running runs: parsed for use, listed with what they would do and have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from nrm.actors import Actor
from nrm.engine.findings import Finding, Severity
from nrm.engine.move_checks import Crossing, check_plan
from nrm.engine.moving import Choice, Mover, Plan, StepMove
from nrm.models import MigrationPlan
from nrm.queries import paths
from nrm.queries.paths import Version
from nrm.rules.forms import Form
from nrm.rules.migrations import MigrationFacts
from nrm.sealing import Json
from nrm.vocabulary import MigrationStatus

KEPT: Final = 16
"""Plans that one process keeps parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A plan, ready to move runs.

    Attributes:
        source: the version that runs leave.
        target: the version that they go to.
        plan: step → where its runs go.
        mover: moves states.
        findings: what is wrong or doubtful about the plan itself.
    """

    source: Version
    target: Version
    plan: Plan
    mover: Mover
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Say whether the plan cannot be carried out."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def migration(row: MigrationPlan) -> Migration:
    """Parse a plan; the same plan is parsed once per process.

    Args:
        row: the stored plan.

    Raises:
        NotFound: one of its versions is gone.
    """
    return _parsed(row.source_id, row.target_id, orjson.dumps(row.steps).decode())


@lru_cache(maxsize=KEPT)
def _parsed(source_id: str, target_id: str, steps: str) -> Migration:
    source, target = paths.version(source_id), paths.version(target_id)
    plan = plan_from_json(orjson.loads(steps))
    crossing = Crossing(
        source=source.spec, target=target.spec, plan=plan, old_forms=_forms(source), new_forms=_forms(target)
    )
    return Migration(
        source=source,
        target=target,
        plan=plan,
        mover=Mover(source.spec, target.spec, plan),
        findings=check_plan(crossing),
    )


def _forms(version: Version) -> Mapping[str, Form]:
    return {key: paths.form(form_id) for key, form_id in version.forms.items()}


def plan_to_json(plan: Plan) -> dict[str, Json]:
    """Write a plan for its row."""
    return {step: {"to": move.to, "form": str(move.form), "desk": str(move.desk)} for step, move in plan.items()}


def plan_from_json(data: Mapping[str, Mapping[str, str | None]]) -> dict[str, StepMove]:
    """Read a plan back."""
    return {
        step: StepMove(to=move["to"], form=Choice(move["form"] or ""), desk=Choice(move["desk"] or ""))
        for step, move in data.items()
    }


def finding_to_json(finding: Finding) -> dict[str, Json]:
    """Write a finding about one run."""
    return {
        "code": finding.code,
        "element": finding.element,
        "severity": str(finding.severity),
        "params": dict(finding.params),
    }


def facts_for(actor: Actor, row: MigrationPlan) -> MigrationFacts:
    """Say how a plan stands to an actor."""
    return MigrationFacts(
        status=MigrationStatus(row.status),
        edits=actor.may("path.edit"),
        publishes=actor.may("path.publish"),
        own=actor.id in row.changers,
        has_errors=migration(row).has_errors,
        stopped=row.stopped_for is not None,
    )
