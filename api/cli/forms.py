"""`nrm form …`: forms as XLSForm spreadsheets, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import orjson

import api
from api.cli.starting import example
from nrm.countries import read_pack
from nrm.countries.wording import write_json
from nrm.delivery.printing import STYLE, print_form
from nrm.i18n import LANGUAGES
from nrm.rules.forms import parse_form
from nrm.rules.manifest_files import read_tables
from nrm.rules.workbooks import write_workbook
from nrm.rules.xlsform_reading import import_form
from nrm.rules.xlsforms import Exported, arranged, export_form, form_difference

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_STYLES: Final = Path(api.__path__[0]) / "static" / "css"
_LOSSES: Final = {
    "type": "is plain there, not a {detail}",
    "code_list": "gets a copy of the codes of “{detail}”; change codes in code_lists.json",
    "condition": "has a condition that XLSForm cannot say: {detail}",
    "rounds": "has a number of rounds that XLSForm does not hold: {detail}",
    "run_value": "is a value of the case, empty there: {detail}",
}
CodeLists = Mapping[str, Mapping[str, Mapping[str, str]]]


@click.group()
def form() -> None:
    """Exchange forms as XLSForm spreadsheets."""


def _json(path: Path) -> dict[str, object]:
    try:
        data = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{path}: not JSON: {error}") from None
    parse_form(data)
    return dict(data)


def _code_lists(pack: Path) -> CodeLists:
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for code in read_pack(pack).codes:
        found.setdefault(code.list, {})[code.code] = code.names
    return found


def _written(source: Path, target: Path, code_lists: CodeLists) -> Exported:
    exported = export_form(_json(source), code_lists=code_lists)  # type: ignore[arg-type]
    target.write_bytes(write_workbook(exported.sheets))
    return exported


@form.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True), metavar="FORM|PACK")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="XLSX file, or folder for a pack.")
@click.option("--losses", is_flag=True, help="Name everything that XLSForm cannot hold.")
@example("nrm form export my-country/forms/intake.json -o intake.xlsx")
def export(source: Path, output: Path, *, losses: bool) -> None:
    """Write a form, or all forms of a pack, as XLSForm."""
    files = sorted((source / "forms").glob("*.json")) if source.is_dir() else [source]
    pack = source if source.is_dir() else source.absolute().parent.parent
    code_lists = _code_lists(pack)
    if source.is_dir():
        output.mkdir(parents=True, exist_ok=True)
    count = 0
    for file in files:
        exported = _written(file, output / f"{file.stem}.xlsx" if source.is_dir() else output, code_lists)
        count += len(exported.losses)
        for loss in exported.losses if losses else ():
            click.echo(f"{file.stem}: {loss.name} {_LOSSES[loss.what].format(detail=loss.detail)}.")
    click.echo(f"{len(files)} forms in {output}; {count} things that XLSForm cannot hold (kept in nrm_ columns).")


@form.command(name="import")
@click.argument("file", type=_FILE, metavar="XLSX")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The JSON file to write.")
@click.option("--diff", "compared", type=_FILE, metavar="FORM", help="Show how it differs from this form.")
@example("nrm form import intake.xlsx --diff my-country/forms/intake.json")
def import_(file: Path, output: Path | None, compared: Path | None) -> int:
    """Read an XLSForm back; with --diff exit status 1 when it differs from the form given."""
    read = import_form(read_tables(file.read_bytes()))
    old = compared or (output if output is not None and output.is_file() else None)
    before = _json(old) if old is not None else {}
    lines = form_difference(before, read) if old is not None else ()  # type: ignore[arg-type]
    for line in lines:
        click.echo(line)
    if output is not None:
        like = old.read_text(encoding="utf-8") if old is not None else "{\n "
        output.write_text(write_json(arranged(read, before), like=like).rstrip() + "\n", encoding="utf-8")  # type: ignore[arg-type]
        click.echo(f"{output} written.")
    elif compared is None:
        click.echo(write_json(read))
    return 1 if lines and output is None else 0


@form.command(name="print")
@click.argument("source", type=_FILE, metavar="FORM")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The HTML file.")
@click.option("--language", type=click.Choice(LANGUAGES), default="ar", show_default=True, help="Language of the page.")
@example("nrm form print my-country/forms/intake.json -o intake.html --language ckb")
def print_(source: Path, output: Path, language: str) -> None:
    """Print a blank form as a page for A4 paper; the style sheet is laid beside it."""
    code_lists = _code_lists(source.absolute().parent.parent)
    page = print_form(parse_form(_json(source)), language, code_lists=code_lists)
    output.write_text(page, encoding="utf-8")
    (output.parent / STYLE).write_bytes((_STYLES / STYLE).read_bytes())
    click.echo(f"{output} and {STYLE} written.")
