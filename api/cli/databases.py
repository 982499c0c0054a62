"""`nrm db …` and `nrm verify`: the tables, and whether the records agree with each other."""

from __future__ import annotations

from dataclasses import asdict

import click

from api.cli.starting import application, example, print_json, settings
from nrm.migrations import run
from nrm.queries.verify import verify_all


@click.group()
def db() -> None:
    """Bring the tables to this program's version, or back; compare them."""


@db.command()
@click.argument("revision", default="head")
@example("NRM_DATABASE_URL=postgresql://nrm@localhost/nrm nrm db upgrade")
def upgrade(revision: str) -> None:
    """Run the migrations up to REVISION (the newest one by default)."""
    run.upgrade(settings().database_url, revision)
    click.echo(f"The database is at {run.head() if revision == 'head' else revision}.")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask: data of the tables that go is lost.")
@example("nrm db downgrade base --yes")
def downgrade(revision: str, *, yes: bool) -> None:
    """Take migrations back down to REVISION."""
    if not yes:
        click.confirm("Data of the tables that go is lost. Go on?", abort=True)
    run.downgrade(settings().database_url, revision)
    click.echo(f"The database is at {revision}.")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@example("nrm db check")
def check(*, as_json: bool) -> int:
    """Compare the database with the tables of this program; exit status 1 when they differ."""
    differences = run.check(settings().database_url)
    for difference in differences:
        print_json({"difference": difference}) if as_json else click.echo(difference)
    if not differences and not as_json:
        click.echo("The tables are those of this program.")
    return 1 if differences else 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@example("nrm verify --json")
def verify(*, as_json: bool) -> int:
    """Prove that records, runs and the chain of events agree; exit status 1 when something does not."""
    found = 0
    with application():
        for entry in verify_all():
            found += 1
            if as_json:
                print_json(asdict(entry))
            else:
                details = " ".join(f"{name}={value}" for name, value in entry.params.items())
                click.echo(f"{entry.code}  {entry.subject[0]} {entry.subject[1]}  {details}")
    if not as_json:
        click.echo(f"{found} disagreements." if found else "All records agree.")
    return 1 if found else 0
