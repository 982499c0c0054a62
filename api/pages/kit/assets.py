"""Static files under an address that changes with their content, so that a browser asks for each only once.

The stamp is a hash over all files: a new release makes all addresses new, and between releases nothing is asked for
again. Text files are kept compressed in memory; they are few and small. What was built with a `.br` file beside it (the
editor) is sent as Brotli to those who read it.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request

from api.transport.problems import answer_error
from nrm.errors import NotFound

FOLDER: Final = Path(__file__).parents[2] / "static"
_FOREVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".css": "text/css"}
_BROTLI: Final = ".br"
_REFUSED: Final = re.compile(r";\s*q=0(\.0*)?\s*$")
"""How a browser says that it does not read an encoding."""
_PACKED: Final = frozenset({".js", ".css", ".svg", ".json"})

blueprint: Final = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file.

    Attributes:
        media: its media type.
        plain: its bytes.
        packed: its bytes compressed with gzip; None where that saves nothing.
        smallest: its bytes compressed with Brotli; None where the build made none.
    """

    media: str
    plain: bytes
    packed: bytes | None
    smallest: bytes | None = None


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Read every static file once per process."""
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in {"", _BROTLI})
    return {path.relative_to(FOLDER).as_posix(): _asset(path) for path in files}


def _asset(path: Path) -> Asset:
    plain = path.read_bytes()
    media = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media.startswith("text/"):
        media += "; charset=utf-8"
    packed = gzip.compress(plain, 9, mtime=0) if path.suffix in _PACKED else None
    built = path.with_name(path.name + _BROTLI)
    return Asset(media=media, plain=plain, packed=packed, smallest=built.read_bytes() if built.exists() else None)


@lru_cache(maxsize=1)
def stamp() -> str:
    """Give the hash over all files, 12 hex digits."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + b"\x00" + hashlib.sha256(asset.plain).digest())
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Give the address of a static file.

    Args:
        name: its path below the folder of static files.

    Raises:
        KeyError: there is no such file: a slip in a template.
    """
    if name not in assets():
        raise KeyError(name)
    return f"/static/{stamp()}/{name}"


@blueprint.get("/static/<made>/<path:name>")
def give(made: str, name: str) -> Response:
    """Give a static file; under an older stamp too, but not for ever."""
    asset = assets().get(name)
    if asset is None:
        return answer_error(NotFound())
    body, encoding = _wanted(asset, request.headers.get("Accept-Encoding", ""))
    answer = Response(body, content_type=asset.media)
    answer.headers["Cache-Control"] = _FOREVER if made == stamp() else "public, max-age=60"
    if asset.packed is not None:
        answer.headers["Vary"] = "Accept-Encoding"
        if encoding:
            answer.headers["Content-Encoding"] = encoding
    return answer


def _wanted(asset: Asset, accepted: str) -> tuple[bytes, str]:
    """Give the bytes for a browser, and how they are encoded; "" for not at all."""
    known = {one.partition(";")[0].strip() for one in accepted.lower().split(",") if not _REFUSED.search(one)}
    if asset.smallest is not None and "br" in known:
        return asset.smallest, "br"
    if asset.packed is not None and "gzip" in known:
        return asset.packed, "gzip"
    return asset.plain, ""
