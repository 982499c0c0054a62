"""Static files under an address that changes with their content, so that a browser asks for each only once.

The stamp is a hash over all files: a new release makes all addresses new, and between releases nothing is asked for
again. Text files are kept compressed in memory; they are few and small.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
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
_PACKED: Final = frozenset({".js", ".css", ".svg", ".json"})

blueprint: Final = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file.

    Attributes:
        media: its media type.
        plain: its bytes.
        packed: its bytes compressed with gzip; None where that saves nothing.
    """

    media: str
    plain: bytes
    packed: bytes | None


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Read every static file once per process."""
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix)
    return {path.relative_to(FOLDER).as_posix(): _asset(path) for path in files}


def _asset(path: Path) -> Asset:
    plain = path.read_bytes()
    media = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media.startswith("text/"):
        media += "; charset=utf-8"
    packed = gzip.compress(plain, 9, mtime=0) if path.suffix in _PACKED else None
    return Asset(media=media, plain=plain, packed=packed)


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
    packed = asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    answer = Response(asset.packed if packed else asset.plain, content_type=asset.media)
    answer.headers["Cache-Control"] = _FOREVER if made == stamp() else "public, max-age=60"
    if asset.packed is not None:
        answer.headers["Vary"] = "Accept-Encoding"
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
    return answer
