"""`nrm texts …`: check the texts of a pack and of the program, send them to reviewers, take corrections back."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import click
import orjson

import api
import nrm
from api.cli.starting import example, print_json
from nrm.config import read_pack_dir
from nrm.countries.wording import REVIEWS, VOCABULARY, Wording, read_wording, write_json, write_wording
from nrm.i18n import LANGUAGES
from nrm.rules.wording import (
    Review,
    Vocabulary,
    check_wording,
    read_reviews,
    read_vocabulary,
    reviewed_share,
    write_reviews,
)
from nrm.rules.wording_sheets import WIDTHS, read_text_sheet, text_rows
from nrm.rules.workbooks import write_workbook

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
_PACKAGES: Final = tuple(Path(package.__path__[0]) for package in (nrm, api))


@click.group()
def texts() -> None:
    """Check texts in three languages, send them to reviewers and take corrections back."""


def _read(folder: Path) -> tuple[Wording, ...]:
    try:
        return read_wording(folder, sources=_PACKAGES)
    except ValueError as error:
        raise click.ClickException(f"{folder}: a file is not JSON: {error}") from None


def _json(path: Path) -> object:
    if not path.is_file():
        return {}
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{path}: not JSON: {error}") from None


def _vocabulary(folder: Path) -> Vocabulary:
    try:
        return read_vocabulary(_json(folder / VOCABULARY))
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _reviews(folder: Path) -> Mapping[str, Review]:
    try:
        return read_reviews(_json(folder / REVIEWS))
    except ValueError as error:
        raise click.ClickException(str(error)) from None


@texts.command()
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
@example("nrm texts check my-country")
def check(folder: Path | None, *, as_json: bool) -> int:
    """Find missing texts, wrong scripts, differing places and unwanted words; exit status 1 when there are any.

    Also says how many texts a native speaker has reviewed as they now stand.
    """
    folder = folder or read_pack_dir(os.environ)
    everything = _read(folder)
    findings = check_wording(everything, _vocabulary(folder))
    for found in findings:
        if as_json:
            row = (found.file, found.key, found.language, found.code, found.detail)
            print_json(dict(zip(("file", "key", "language", "code", "detail"), row, strict=True)))
        else:
            click.echo(f"{found.file}: {found.key} {found.language} {found.code} {found.detail}".rstrip())
    if not as_json:
        _summary(everything, Counter(found.code for found in findings), _reviews(folder))
    return 1 if findings else 0


def _summary(everything: tuple[Wording, ...], counts: Counter[str], reviews: Mapping[str, Review]) -> None:
    told = ", ".join(f"{count} {code}" for code, count in counts.items())
    click.echo(f"{len(everything)} texts in {len(LANGUAGES)} languages; {told or 'no findings'}.")
    for language, (read, all_texts) in reviewed_share(everything, reviews).items():
        share = 100 * read / all_texts if all_texts else 0
        click.echo(f"Reviewed by a native speaker, {language}: {read} of {all_texts} ({share:.1f} %).")


@texts.command()
@_FOLDER
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The XLSX file.")
@example("nrm texts export my-country -o texts.xlsx")
def export(folder: Path | None, output: Path) -> None:
    """Write all texts into a spreadsheet: correct a cell, or write “yes” under “reviewed_…” when it is right."""
    folder = folder or read_pack_dir(os.environ)
    everything = _read(folder)
    output.write_bytes(write_workbook({"texts": text_rows(everything, _reviews(folder))}, widths=WIDTHS))
    click.echo(f"{len(everything)} texts in {output}.")


@texts.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@_FOLDER
@click.option("--reviewer", required=True, help="Who read the texts.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="When, as 2026-03-01.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Take only this language.")
@click.option("--diff", is_flag=True, help="Only show what would change.")
@example("nrm texts import texts.xlsx my-country --reviewer 'Name' --on 2026-03-01 --language ckb")
def import_(file: Path, folder: Path | None, reviewer: str, on: date, language: str | None, *, diff: bool) -> int:
    """Take corrections and reviews from a spreadsheet; rows made from older texts are refused.

    Exit status 1 when a row was refused; what is not stale is written all the same.
    """
    folder = folder or read_pack_dir(os.environ)
    day = date(on.year, on.month, on.day)
    said = read_text_sheet(file.read_bytes(), _read(folder), reviewer=reviewer, on=day, language=language)
    for change in said.changes:
        click.echo(f"{change.file} {change.key} ({change.language})\n  - {change.before}\n  + {change.after}")
    for place in said.stale:
        click.echo(f"Refused, changed since the sheet was made: {place}", err=True)
    if not diff:
        write_wording(folder, said.changes)
        if said.reviewed:
            reviews = write_reviews({**_reviews(folder), **said.reviewed})
            (folder / REVIEWS).write_text(write_json(reviews) + "\n", encoding="utf-8")
    click.echo(f"{len(said.changes)} changes, {len(said.reviewed)} reviews, {len(said.stale)} refused.")
    return 1 if said.stale else 0
