"""`nrm sandbox …`: what a partner needs for trying its program."""

from __future__ import annotations

import click

from api.cli.starting import application, example, print_json
from nrm.actions.keys import issue_key
from nrm.actions.sandbox import prepare_sandbox
from nrm.actors import SYSTEM
from nrm.queries import directory
from nrm.rules.permissions import SCOPES


@click.command()
@click.argument("organisation")
@click.option("--name", default="sandbox", show_default=True, help="What the test key is for.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@example("nrm sandbox bright_bridge")
def sandbox(organisation: str, *, name: str, days: int, as_json: bool) -> None:
    """Prepare the sandbox for ORGANISATION (its code) and issue a test key with all scopes."""
    with application():
        whose = directory.organisation_id(organisation)
        services = prepare_sandbox(SYSTEM, whose)
        issued = issue_key(SYSTEM, whose, name=name, scopes=tuple(SCOPES), days=days, livemode=False)
    if as_json:
        print_json({"key": issued.text, "id": issued.id, "services": list(services)})
        return
    click.echo(f"{issued.text}\nIt is shown this once. Id {issued.id}, valid until {issued.expires_at:%Y-%m-%d}.")
    click.echo("Services that answer by themselves: " + ", ".join(services[1:]))
