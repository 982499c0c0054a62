"""`nrm path migrate …`: move running cases to another version of their path, by two people, as on the pages.

Whoever acts signs in: a terminal is no way around the second person.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import orjson

from api.cli.starting import application, complain, example, print_json
from nrm.actions import migrations as actions
from nrm.actions.sign_in import actor_for_session, sign_in, sign_out
from nrm.actors import Actor
from nrm.errors import NotSignedIn
from nrm.queries import migration_list as queries
from nrm.queries.migration_list import MigrationView, PlanFinding

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at a plan that the runner works on."""
_WORKING: Final = frozenset({"checking", "running", "undoing"})
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_AS = click.option("--as", "login", required=True, metavar="LOGIN", help="Who acts; the password is asked for.")
_JSON = click.option("--json", "as_json", is_flag=True, help="The plan as one JSON object.")
_LANGUAGE = click.option(
    "--language", type=click.Choice(["ar", "ckb", "en"]), default="en", show_default=True, help="Language of the texts."
)
_WAIT = click.option(
    "--wait", type=click.IntRange(0, 86_400), default=0, metavar="SECONDS", help="Show how far the runner is, so long."
)


@click.group()
def migrate() -> None:
    """Move running cases to another version of their path: plan, dry run, a second person's approval, and back.

    The password of --as comes from NRM_PASSWORD or is asked for, a code of the second factor from NRM_OTP. The runner
    (`nrm worker`, or `nrm serve`) does the dry run and the moving. Exit status 1: the plan has errors, or the runner
    was not done when the waiting ended.
    """


@contextmanager
def _signed_in(login: str) -> Iterator[Actor]:
    """Sign somebody in for one command."""
    password = os.environ.get("NRM_PASSWORD", "") or str(click.prompt(f"Password of {login}", hide_input=True))
    with application():
        try:
            _, secret = sign_in(login, password, otp=os.environ.get("NRM_OTP") or None, device="terminal")
        except NotSignedIn as refused:
            if refused.code != "otp_required":
                raise
            _, secret = sign_in(login, password, otp=str(click.prompt("Code")), device="terminal")
        signed = actor_for_session(secret)
        try:
            if signed.password_is_first:
                raise click.UsageError(f"Somebody else chose the password of {login}: change it on the page first.")
            yield signed.actor
        finally:
            sign_out(signed.actor, secret)


@migrate.command("plan")
@click.argument("path")
@click.option("--from", "source", type=click.IntRange(1), required=True, help="Number of the version that is left.")
@click.option("--to", "target", type=click.IntRange(1), required=True, help="Number of a published version.")
@click.option("--steps", type=_FILE, help='JSON: {step: {"to": step or null, "form": "new", "desk": "new"}}.')
@_AS
@_JSON
@_LANGUAGE
@example("nrm path migrate plan hello --from 1 --to 2 --as designer.one")
def plan(path: str, *, source: int, target: int, steps: Path | None, login: str, language: str, as_json: bool) -> int:
    """Begin a plan for PATH (its key); steps that are in both versions stay themselves unless --steps says more."""
    wanted = None if steps is None else actions.read_steps(_read(steps))
    with _signed_in(login) as actor:
        _, versions = queries.versions_with_cases(actor, path)
        ids = {row.number: row.id for row in versions}
        missing = [str(number) for number in (source, target) if number not in ids]
        if missing:
            raise click.UsageError(f"{path} has no version {', '.join(missing)}.")
        plan_id = actions.plan_migration(actor, ids[source], ids[target])
        if wanted is not None:
            actions.change_migration(actor, plan_id, steps=wanted, version=None)
        return _tell(queries.migration_view(actor, plan_id, language=language), as_json=as_json)


def _read(file: Path) -> object:
    try:
        return orjson.loads(file.read_bytes())
    except ValueError:
        raise click.UsageError(f"{file} holds no JSON.") from None


@migrate.command("list")
@click.argument("path", required=False)
@_AS
@click.option("--json", "as_json", is_flag=True, help="One plan per line as JSON.")
@example("nrm path migrate list hello --as designer.one")
def list_plans(path: str | None, login: str, *, as_json: bool) -> None:
    """List the plans of PATH (its key), or all, the latest first."""
    with _signed_in(login) as actor:
        for row in queries.migrations(actor, path=path):
            if as_json:
                print_json(row)
            else:
                click.echo(f"{row.id}  {row.path} {row.number_from} → {row.number_to}  {row.status}")


@migrate.command()
@click.argument("plan_id", metavar="PLAN")
@_AS
@_JSON
@_LANGUAGE
@_WAIT
@example("nrm path migrate show mig_0123456789abcdefghjkmnpqrs --as designer.one --json")
def show(plan_id: str, login: str, language: str, wait: int, *, as_json: bool) -> int:
    """Show a plan: what the dry run found, how far the moving is, and what may be done now."""
    with _signed_in(login) as actor:
        return _follow(actor, plan_id, language, wait, as_json=as_json)


def _verb(name: str, says: str, act: Callable[..., None]) -> None:
    @migrate.command(name)
    @click.argument("plan_id", metavar="PLAN")
    @_AS
    @_JSON
    @_LANGUAGE
    @_WAIT
    def do(plan_id: str, login: str, language: str, wait: int, *, as_json: bool) -> int:
        with _signed_in(login) as actor:
            act(actor, plan_id, version=None)
            return _follow(actor, plan_id, language, wait, as_json=as_json)

    do.help = f"{says}\n\n\b\nExample:\n    nrm path migrate {name} mig_0123456789abcdefghjkmnpqrs --as designer.two"


_verb("check", "Look at every running case without moving one: the dry run.", actions.check_migration)
_verb("approve", "Approve a checked plan as the second person, and let the runner begin.", actions.approve_migration)
_verb("pause", "Stop after the case that is being moved just now.", actions.pause_migration)
_verb("resume", "Go on where a pause stopped.", actions.resume_migration)
_verb("undo", "Take back every case that has not gone on since it was moved.", actions.undo_migration)
_verb("discard", "Throw a plan away that has moved nothing.", actions.discard_migration)


def _follow(actor: Actor, plan_id: str, language: str, wait: int, *, as_json: bool) -> int:
    """Show how far the runner is until it is done, or the waiting ends; then tell the plan."""
    until = time.monotonic() + wait
    view = queries.migration_view(actor, plan_id, language=language)
    while view.plan.status in _WORKING and time.monotonic() < until:
        complain(f"{view.plan.status}: {_counted(view)}")
        time.sleep(LOOK_EVERY)
        view = queries.migration_view(actor, plan_id, language=language)
    late = bool(wait) and view.plan.status in _WORKING
    return _tell(view, as_json=as_json) or (1 if late else 0)


def _counted(view: MigrationView) -> str:
    counts = {name: "hidden" if count is None else count for name, count in view.plan.counts.items() if count != 0}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing looked at yet"


def _tell(view: MigrationView, *, as_json: bool) -> int:
    """Print a plan; exit status 1 where it has errors."""
    bad = any(finding.severity == "error" for finding in view.findings)
    if as_json:
        print_json(view)
        return 1 if bad else 0
    row = view.plan
    running = "hidden" if view.running is None else view.running
    click.echo(f"{view.id}  {row.path} {row.number_from} → {row.number_to}  {row.status}")
    if row.stopped_for is not None:
        click.echo(f"  stopped: {row.stopped_for}")
    click.echo(f"  running on version {row.number_from}: {running}; {_counted(view)}")
    for finding in (*view.findings, *view.reasons):
        click.echo(f"  {_line(finding)}")
    click.echo(f"  may be done now: {', '.join(view.allowed_actions) or 'nothing'}")
    return 1 if bad else 0


def _line(finding: PlanFinding) -> str:
    about = "" if finding.count == 0 else f" ({'hidden' if finding.count is None else finding.count})"
    place = f" {finding.element}" if finding.element else ""
    return f"{finding.severity}{place}{about}: {finding.text}"
