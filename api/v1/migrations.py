"""Moving running cases to another version of their path: plan, dry run, approval, progress, pause, taking back."""

from __future__ import annotations

from api.schemas.migrations import ChangeMigration, MigrationsQuery, MovedQuery, PlanMigration
from api.transport.endpoint import Ask, Noun
from api.transport.problems import language
from api.transport.shapes import Made, made
from nrm.actions import migrations as actions
from nrm.installation import installation
from nrm.queries import migration_list as queries
from nrm.queries.migration_list import MigrationRow, MigrationView, MovedCase
from nrm.queries.page import Page
from nrm.vocabulary import MovedStatus

migrations = Noun("migrations")


@migrations.get("/path-migrations", query=MigrationsQuery, answer=tuple[MigrationRow, ...])
def list_migrations(ask: Ask) -> tuple[MigrationRow, ...]:
    """List the plans that move running cases, the latest first."""
    return queries.migrations(ask.actor, path=ask.query["path"])


@migrations.post("/path-migrations", permission="path.edit", body=PlanMigration, answer=Made, status=201, shape=made)
def plan(ask: Ask) -> str:
    """Begin a plan between two versions of a path; steps that are in both are proposed to stay themselves."""
    return actions.plan_migration(ask.actor, ask.body["source"], ask.body["target"])


@migrations.get("/path-migrations/<migration_id>", answer=MigrationView)
def read(ask: Ask, migration_id: str) -> MigrationView:
    """Read a plan: where each step goes, what is wrong or lost, and how far it is."""
    return queries.migration_view(ask.actor, migration_id, language=language())


@migrations.get("/path-migrations/<migration_id>/cases", query=MovedQuery, answer=MovedCase, paged=True)
def list_cases(ask: Ask, migration_id: str) -> Page[MovedCase]:
    """List the cases of a plan that one may know of, each with what the dry run or the move found."""
    status = ask.query.get("status")
    return queries.moved_cases(
        ask.actor,
        installation().clock.now(),
        migration_id,
        status=MovedStatus(status) if status else None,
        language=language(),
        after=ask.after,
        limit=ask.limit,
    )


@migrations.put("/path-migrations/<migration_id>/steps", permission="path.edit", body=ChangeMigration, versioned=True)
def change(ask: Ask, migration_id: str) -> None:
    """Say where the cases of each step go; what was checked before must be checked again."""
    actions.change_migration(ask.actor, migration_id, steps=actions.read_steps(ask.body["steps"]), version=ask.version)


@migrations.post("/path-migrations/<migration_id>/check", permission="path.edit", versioned=True)
def check(ask: Ask, migration_id: str) -> None:
    """Look at every running case of the version without moving one: the dry run."""
    actions.check_migration(ask.actor, migration_id, version=ask.version)


@migrations.post("/path-migrations/<migration_id>/approve", permission="path.publish", versioned=True)
def approve(ask: Ask, migration_id: str) -> None:
    """Approve a checked plan as the second person, and let it be carried out."""
    actions.approve_migration(ask.actor, migration_id, version=ask.version)


@migrations.post("/path-migrations/<migration_id>/pause", permission="path.publish", versioned=True)
def pause(ask: Ask, migration_id: str) -> None:
    """Stop after the case that is being moved just now."""
    actions.pause_migration(ask.actor, migration_id, version=ask.version)


@migrations.post("/path-migrations/<migration_id>/resume", permission="path.publish", versioned=True)
def resume(ask: Ask, migration_id: str) -> None:
    """Go on where a pause stopped."""
    actions.resume_migration(ask.actor, migration_id, version=ask.version)


@migrations.post("/path-migrations/<migration_id>/undo", permission="path.publish", versioned=True)
def undo(ask: Ask, migration_id: str) -> None:
    """Take back every case that has not gone on since it was moved."""
    actions.undo_migration(ask.actor, migration_id, version=ask.version)


@migrations.post("/path-migrations/<migration_id>/discard", permission="path.edit", versioned=True)
def discard(ask: Ask, migration_id: str) -> None:
    """Throw a plan away that has moved nothing."""
    actions.discard_migration(ask.actor, migration_id, version=ask.version)
