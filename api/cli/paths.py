"""`nrm path …`: check, import, play and draw referral paths."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from api.cli.migrating import migrate
from api.cli.starting import example
from nrm.actions.path_checks import lint_files, play_pack
from nrm.actions.path_imports import import_file
from nrm.actions.path_judging import judge_file
from nrm.queries.path_list import draw_file

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_LANGUAGE = click.option(
    "--language", type=click.Choice(["ar", "ckb", "en"]), default="en", show_default=True, help="Language of the texts."
)


@click.group()
def path() -> None:
    """Check, import, play and draw referral paths, and move cases between their versions."""


path.add_command(migrate)


@path.command()
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE…")
@click.option("--pack", "folder", type=_FOLDER, help="The pack that the diagrams belong to.")
@click.option("--json", "as_json", is_flag=True, help="One finding per line as JSON.")
@_LANGUAGE
@example("nrm path lint my-country/paths/*.bpmn --pack my-country --json")
def lint(files: tuple[Path, ...], folder: Path | None, language: str, *, as_json: bool) -> int:
    """Check diagrams, each in a process that can be killed; exit status 1 when one has an error."""
    lines, bad = lint_files(files, pack=folder, language=language)
    for line in lines:
        click.echo(line if as_json else _in_words(line))
    if not lines and not as_json:
        click.echo("No findings.")
    return 1 if bad else 0


def _in_words(line: str) -> str:
    found = orjson.loads(line)
    place = ":".join(str(found[part]) for part in ("file", "line", "element") if found.get(part))
    return f"{place}: {found['severity']} {found['code']}: {found['text']}"


@path.command()
@click.argument("file", type=_FILE)
@click.option("--pack", "folder", type=_FOLDER, help="The pack that the diagram belongs to.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the verdict, its defects, and every finding.")
@_LANGUAGE
@example("nrm path check my-country/paths/hello.bpmn --pack my-country --json")
def check(file: Path, folder: Path | None, language: str, *, as_json: bool) -> int:
    """Judge whether a path is sound: every run ends, nothing waits for ever; exit status 1 when it is not."""
    judged = judge_file(file.read_bytes(), file=str(file), pack=folder)
    for line in (judged.json(language),) if as_json else judged.lines(language):
        click.echo(line)
    return 1 if judged.bad else 0


@path.command("import")
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--process", help="Id or name of the process to take; else the executable or the largest one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: what was changed, and every finding.")
@_LANGUAGE
@example("nrm path import drawn-elsewhere.bpmn -o my-country/paths/new_path.bpmn --json")
def import_(file: Path, output: Path | None, process: str | None, language: str, *, as_json: bool) -> int:
    """Take over a diagram of another tool and tell each change; exit status 1 when it cannot be loaded at all."""
    report = import_file(file.read_bytes(), file=str(file), process=process)
    if as_json:
        click.echo(report.json(language))
    else:
        for line in report.lines(language):
            click.echo(_in_words(line))
    if report.xml is None:
        return 1
    if output is not None:
        output.write_bytes(report.xml)
    return 0


@path.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@_LANGUAGE
@example("nrm path test my-country")
def test(folder: Path, language: str) -> int:
    """Play all scenarios of the pack in DIR on the real engine; exit status 1 when one fails or leaves a way out."""
    report = play_pack(folder)
    for line in report.lines(language):
        click.echo(line)
    paths, scenarios, ways = report.counts
    click.echo(f"{paths} paths, {scenarios} scenarios, {ways} ways that no scenario takes.")
    return 0 if report.whole else 1


@path.command()
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--page", type=click.Choice(["A4"]), help="Pages of HTML to print instead of one SVG.")
@click.option("--rtl", is_flag=True, help="Draw from right to left.")
@_LANGUAGE
@example("nrm path draw my-country/paths/hello.bpmn -o hello.html --page A4 --language ar")
def draw(file: Path, output: Path | None, language: str, page: str | None, *, rtl: bool) -> None:
    """Draw a diagram as SVG, or on pages of paper."""
    mirrored = True if rtl else None
    drawn = draw_file(file.read_bytes(), language=language, mirrored=mirrored, on_paper=page is not None)
    if output is None:
        click.echo(drawn)
    else:
        output.write_text(drawn, encoding="utf-8")
