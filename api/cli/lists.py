"""`nrm import …`: arrival lists."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.starting import application, example, print_json
from api.transport.problems import say
from nrm.actions.manifests import import_manifest
from nrm.actors import SYSTEM


@click.group(name="import")
def import_() -> None:
    """Take in data of others."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADER=COLUMN",
    help='Map a column by hand, by its title or its place ("#3"); with nothing after "=" it is left out.',
)
@click.option("--head", type=click.IntRange(1, 25), help="The row in which the titles of the columns stand.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as one JSON object.")
@example('nrm import manifest flight.xlsx --column "Full name=full_name"')
def manifest(file: Path, columns: tuple[str, ...], head: int | None, *, as_json: bool) -> int:
    """Import an arrival list (CSV or XLSX); bad rows are listed, the rest goes in.

    Exit status 1 when rows were refused. A second import of the same file changes nothing.
    """
    pairs = [entry.partition("=") for entry in columns]
    mapping = {header: column for header, _, column in pairs} or None
    with application():
        progress = None if as_json else _progress
        report = import_manifest(SYSTEM, file.read_bytes(), file.name, mapping=mapping, head=head, progress=progress)
    if as_json:
        print_json(report)
        return 1 if report.refused else 0
    click.echo(
        f"\r{report.rows} rows: {report.accepted} registered, {len(report.known)} known, "
        f"{report.same} imported before, {len(report.refused)} refused."
    )
    for row in report.refused:
        for problem in row.problems:
            click.echo(f"  row {row.number}, {problem.pointer.rsplit('/', 1)[-1]}: {say(problem.code, problem.params)}")
    for header in report.unknown_columns:
        click.echo(f"  column not recognised: {header}")
    return 1 if report.refused else 0


def _progress(done: int, total: int) -> None:
    click.echo(f"\r{done}/{total}", nl=False, err=True)
