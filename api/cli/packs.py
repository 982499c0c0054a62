"""`nrm pack …`: the country's data, from files into the database and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from api.cli.starting import application, example, print_json
from nrm.actions.pack_checks import check_pack, render_problem
from nrm.actions.seeding import Taken, export_pack, load_pack
from nrm.actors import SYSTEM
from nrm.config import read_pack_dir
from nrm.countries import BadPack, PackProblem, read_pack

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


def _tell(problems: Iterable[PackProblem], *, as_json: bool) -> None:
    for problem in problems:
        severity = "warning" if problem.warning else "error"
        if as_json:
            where = {"file": problem.file, "pointer": problem.pointer}
            print_json({**where, "code": problem.code, "severity": severity})
        else:
            click.echo(f"{severity} {problem.file} {problem.pointer}: {render_problem(problem, 'en')}")


@pack.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per mistake.")
@example("nrm pack check my-country --json")
def check(folder: Path | None, *, as_json: bool) -> int:
    """Read a pack and name all its mistakes, those in its diagrams too; exit status 1 when one stops loading."""
    try:
        found = read_pack(folder or read_pack_dir(os.environ))
    except BadPack as error:
        _tell(error.problems, as_json=as_json)
        return 1
    problems = check_pack(found)
    _tell(problems, as_json=as_json)
    if any(not problem.warning for problem in problems):
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
