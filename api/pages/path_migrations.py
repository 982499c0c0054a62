"""Moving running cases to another version of their path: the plan, its dry run, its progress, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response

from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.transport import cursors
from nrm.actions import migrations as actions
from nrm.errors import NotFound, NotValid
from nrm.queries import migration_list as queries
from nrm.queries.migration_list import MigrationView
from nrm.vocabulary import MovedStatus

path_migrations = Pages("path_migrations")

END: Final = "-"
"""What a select sends for "let go"."""

_ROWS: Final = 50
_WORKING: Final = frozenset({"checking", "running", "undoing"})
_DONE: Final = frozenset({"changed", "check", "approve", "pause", "resume", "undo", "discard"})


@path_migrations.get("/studio/paths/<key>/migrations")
def show_plans(visit: Visit, key: str) -> Answer:
    """Show the plans of a path, and let somebody begin one."""
    return _plans(visit, key)


def _plans(visit: Visit, key: str, problems: Told = ()) -> Response:
    names, versions = queries.versions_with_cases(visit.actor, key)
    return visit.show(
        "studio/migrations.html",
        status=422 if problems else 200,
        key=key,
        names=names,
        versions=versions,
        rows=queries.migrations(visit.actor, path=key),
        problems=problems,
        given=visit.form,
    )


@path_migrations.post("/studio/paths/<key>/migrations", permission="path.edit")
def begin(visit: Visit, key: str) -> Answer:
    """Begin a plan between two versions."""
    try:
        plan_id = actions.plan_migration(visit.actor, visit.text("source"), visit.text("target"))
    except NotValid as error:
        told = tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)
        return _plans(visit, key, told)
    return see(f"/studio/paths/{key}/migrations/{plan_id}")


@path_migrations.get("/studio/moves/<migration_id>")
def lead_to_plan(visit: Visit, migration_id: str) -> Answer:
    """Lead from a notice to the plan."""
    view = queries.migration_view(visit.actor, migration_id, language=visit.language)
    return see(f"/studio/paths/{view.plan.path}/migrations/{view.id}")


@path_migrations.get("/studio/paths/<key>/migrations/<migration_id>")
def show_plan(visit: Visit, key: str, migration_id: str) -> Answer:
    """Show a plan: where each step goes, what is lost, how far it is."""
    return _plan(visit, _of(visit, key, migration_id))


def _of(visit: Visit, key: str, migration_id: str) -> MigrationView:
    view = queries.migration_view(visit.actor, migration_id, language=visit.language)
    if view.plan.path != key:
        raise NotFound
    return view


def _plan(visit: Visit, view: MigrationView, problems: tuple[str, ...] = ()) -> Response:
    done = visit.query.get("done")
    return visit.show(
        "studio/migration.html",
        status=422 if problems else 200,
        view=view,
        plan=view.plan,
        may=frozenset(view.allowed_actions),
        working=view.plan.status in _WORKING,
        progress=_progress(view),
        done=done if done in _DONE else None,
        problems=problems,
        settled=_settled(view),
        end=END,
    )


def _progress(view: MigrationView) -> tuple[int, int] | None:
    """Give how many cases are through, and of how many; None where a number is not shown."""
    counts = {status: count for status, count in view.plan.counts.items() if count is not None}
    if len(counts) < len(view.plan.counts):
        return None
    total = sum(counts.values())
    return total - counts["moved" if view.plan.status == "undoing" else "ready"], total


def _settled(view: MigrationView) -> frozenset[str]:
    """Give the steps that stay themselves and about which there is nothing to decide."""
    doubtful = {one.element for one in (*view.findings, *view.reasons) if one.severity != "note"}
    return frozenset(step.id for step in view.steps if step.to == step.id and step.id not in doubtful)


@path_migrations.post("/studio/paths/<key>/migrations/<migration_id>/steps", permission="path.edit")
def change(visit: Visit, key: str, migration_id: str) -> Answer:
    """Say where the cases of each step go."""
    view = _of(visit, key, migration_id)
    chosen = {step.id: visit.text(f"to.{step.id}") for step in view.steps}
    given = {
        step: {
            "to": None if to == END else to,
            "form": visit.text(f"form.{step}") or "new",
            "desk": visit.text(f"desk.{step}") or "new",
        }
        for step, to in chosen.items()
        if to
    }
    try:
        steps = actions.read_steps(given)
        actions.change_migration(visit.actor, migration_id, steps=steps, version=visit.version())
    except NotValid as error:
        return _plan(visit, view, tuple(visit.problem(one.code, one.params) for one in error.problems))
    return _back(key, migration_id, "changed")


def _back(key: str, migration_id: str, done: str) -> Response:
    return see(f"/studio/paths/{key}/migrations/{migration_id}?done={done}")


def _verb(name: str, permission: str, act: Callable[..., None]) -> None:
    def do(visit: Visit, key: str, migration_id: str) -> Answer:
        _of(visit, key, migration_id)
        act(visit.actor, migration_id, version=visit.version())
        return _back(key, migration_id, name)

    do.__name__ = name
    path_migrations.post(f"/studio/paths/<key>/migrations/<migration_id>/{name}", permission=permission)(do)


_verb("check", "path.edit", actions.check_migration)
_verb("discard", "path.edit", actions.discard_migration)
_verb("approve", "path.publish", actions.approve_migration)
_verb("pause", "path.publish", actions.pause_migration)
_verb("resume", "path.publish", actions.resume_migration)
_verb("undo", "path.publish", actions.undo_migration)


@path_migrations.get("/studio/paths/<key>/migrations/<migration_id>/cases")
def show_cases(visit: Visit, key: str, migration_id: str) -> Answer:
    """List the cases of a plan that the visitor may know of, each with what was found."""
    view = _of(visit, key, migration_id)
    asked = visit.query.get("status", "")
    status = MovedStatus(asked) if asked in set(MovedStatus) else None
    cursor, listed = visit.query.get("after"), f"migration:{migration_id}:{asked}"
    page = queries.moved_cases(
        visit.actor,
        visit.now,
        migration_id,
        status=status,
        language=visit.language,
        after=cursors.read_cursor(listed, cursor) if cursor else None,
        limit=_ROWS,
    )
    here = f"/studio/paths/{key}/migrations/{migration_id}/cases"
    following = cursors.write_cursor(listed, page.next_key) if page.next_key else None
    return visit.show(
        "studio/migration_cases.html",
        view=view,
        plan=view.plan,
        rows=page.items,
        asked=str(status or ""),
        statuses=tuple(str(one) for one in MovedStatus),
        next_page=f"{here}?status={asked}&after={following}" if following else None,
    )
