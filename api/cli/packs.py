"""`nrm pack …`: the country's data, from files into the database and back."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.starting import application, example, print_json, settings
from nrm.actions.seeding import Taken, export_pack, load_pack
from nrm.actors import SYSTEM
from nrm.countries import BadPack, read_pack

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def pack() -> None:
    """Load, check and export the country pack."""


@pack.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per changed entry.")
@example("nrm pack load my-country")
def load(folder: Path | None, *, as_json: bool) -> int:
    """Load a pack; again, it makes drafts and says where the database differs, and overwrites nothing."""
    with application() as config:
        report = load_pack(SYSTEM, read_pack(folder or config.pack_dir))
    for change in report.changes:
        if as_json:
            print_json({"kind": change.kind, "key": change.key, "taken": str(change.taken)})
    if not as_json:
        counts = ", ".join(f"{report.count(taken)} {taken}" for taken in Taken if report.count(taken))
        click.echo(f"{report.pack}: {counts or 'nothing new'}; {report.unchanged} unchanged.")
        for change in report.differences:
            click.echo(f"  differs: {change.kind} {change.key} ({change.taken})")
    return 1 if report.differences else 0


@pack.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per mistake.")
@example("nrm pack check my-country --json")
def check(folder: Path | None, *, as_json: bool) -> int:
    """Read a pack and name all its mistakes; exit status 1 when there are any."""
    try:
        found = read_pack(folder or settings().pack_dir)
    except BadPack as error:
        for problem in error.problems:
            if as_json:
                print_json({"file": problem.file, "pointer": problem.pointer, "code": problem.code})
            else:
                click.echo(f"{problem.file}: {problem.pointer} {problem.code}")
        return 1
    if not as_json:
        click.echo(f"{found.key}: {len(found.paths)} paths, {len(found.forms)} forms, {len(found.services)} services.")
    return 0


@pack.command()
@click.argument("folder", type=_FOLDER)
@example("nrm pack export /tmp/pack")
def export(folder: Path) -> None:
    """Write the database's country data as a pack into FOLDER."""
    with application():
        files = export_pack(folder)
    click.echo(f"{len(files)} files in {folder}.")
