"""The handler's guide inside the product: the files of docs/guide as a page, with the pictures that belong to them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from PIL import Image

from api.pages.kit.visits import Answer, Pages, Visit
from api.pages.kit.words import OWN_NAMES, RIGHT_TO_LEFT
from api.transport.problems import answer_error
from nrm.errors import NotFound

handbook = Pages("handbook")
pictures: Final = Blueprint("handbook_pictures", __name__)

FOLDER: Final = Path(__file__).parents[2] / "docs" / "guide"
WRITTEN_IN: Final = ("ar", "en")
"""Languages in which there is a guide; readers of another one get the first."""
CHAPTERS: Final = (
    "sign-in",
    "work",
    "colours",
    "task",
    "case",
    "people",
    "consent",
    "referral",
    "line",
    "keyboard",
    "away",
    "complaints",
    "never",
)
"""Anchors of the chapters in their order, the same in all languages, so that a page can lead to the one about it."""
_FOREVER: Final = "public, max-age=31536000, immutable"
_SCROLL: Final = '<div class="scroll" tabindex="0" role="region" aria-labelledby="{id}"><table>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter of the guide.

    Attributes:
        id: its anchor.
        title: its heading.
        text: what stands below it.
    """

    id: str
    title: str
    text: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the guide.

    Attributes:
        content: a WebP file.
        width: in pixels.
        height: in pixels.
    """

    content: bytes
    width: int
    height: int


@lru_cache(maxsize=1)
def pictures_by_name() -> dict[str, Picture]:
    """Read all pictures once per process: language/name → picture."""
    return {path.relative_to(FOLDER).as_posix(): _picture(path.read_bytes()) for path in sorted(FOLDER.rglob("*.webp"))}


def _picture(content: bytes) -> Picture:
    with Image.open(io.BytesIO(content)) as image:
        return Picture(content=content, width=image.width, height=image.height)


@lru_cache(maxsize=1)
def stamp() -> str:
    """Give a hash over all pictures, 12 hex digits: new pictures have new addresses."""
    digest = hashlib.sha256()
    for name, picture in pictures_by_name().items():
        digest.update(name.encode() + b"\x00" + hashlib.sha256(picture.content).digest())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=len(WRITTEN_IN))
def chapters(language: str) -> tuple[str, tuple[Chapter, ...]]:
    """Give the title of the guide and its chapters; what stands before the first one is for those who build it.

    Args:
        language: one of `WRITTEN_IN`.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse((FOLDER / f"handler.{language}.md").read_text(encoding="utf-8"))
    begins = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    ends = [*begins[1:], len(tokens)]
    found = tuple(
        _chapter(reader, name, tokens[begin:end]) for name, begin, end in zip(CHAPTERS, begins, ends, strict=True)
    )
    return tokens[1].content, found


def _chapter(reader: MarkdownIt, name: str, tokens: Sequence[Token]) -> Chapter:
    for token in tokens:
        for part in token.children or ():
            if part.type == "image":
                _place(part)
    text = reader.renderer.render(list(tokens[3:]), reader.options, {})
    # The reader passes no markup of the files on, and the files are our own.
    return Chapter(
        id=name,
        title=tokens[1].content,
        text=Markup(text.replace("<table>", _SCROLL.format(id=name)).replace("</table>", "</table></div>")),  # noqa: S704
    )


def _place(part: Token) -> None:
    """Give a picture its address and its size, so that the page does not jump while it comes."""
    name = str(part.attrs["src"])
    picture = pictures_by_name()[name]
    part.attrs |= {"src": f"/guide/pictures/{stamp()}/{name}", "width": picture.width, "height": picture.height}
    part.attrs |= {"loading": "lazy", "class": "picture"}


def is_there() -> bool:
    """Say whether this installation has the guide's files beside the program."""
    return FOLDER.is_dir()


@handbook.get("/guide")
def show(visit: Visit) -> Answer:
    """Show the guide, in the reader's language where it is written in that."""
    if not is_there():
        raise NotFound
    wished = visit.query.get("in", visit.language)
    language = wished if wished in WRITTEN_IN else WRITTEN_IN[0]
    title, found = chapters(language)
    return visit.show(
        "handbook/guide.html",
        title=title,
        chapters=found,
        guide_language=language,
        guide_direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        others=[(code, OWN_NAMES[code]) for code in WRITTEN_IN if code != language],
        foreign=language != visit.language,
    )


@pictures.get("/guide/pictures/<made>/<path:name>")
def give(made: str, name: str) -> Response:
    """Give a picture; under an older stamp too, but not for ever."""
    picture = pictures_by_name().get(name)
    if picture is None:
        return answer_error(NotFound())
    answer = Response(picture.content, content_type="image/webp")
    answer.headers["Cache-Control"] = _FOREVER if made == stamp() else "public, max-age=60"
    return answer
