"""A letter as one page of HTML from right to left: no script, no style inside, every value escaped and isolated."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nrm.i18n import catalogue
from nrm.rules.letters import write_digits
from nrm.sealing import Json

FOLDER: Final = Path(__file__).parent
STYLE: Final = FOLDER / "letter.css"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def render_page(content: Json, *, number: int, language: str, digits: str, style_url: str = "") -> str:
    """Write the page of a letter.

    Args:
        content: what the letter keeps: head, date, to, subject, body, closing, copies.
        number: outgoing number.
        language: ar or ckb.
        digits: latin or arab.
        style_url: address of the style; "" where the style is given otherwise.
    """
    return (
        _environment()
        .get_template("page.html")
        .render(
            content=content,
            words=catalogue("letters", language),
            number=write_digits(str(number), digits),
            language=language,
            style_url=style_url,
        )
    )
