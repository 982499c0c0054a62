"""A letter as PDF, set by WeasyPrint in a process that can be ended, with the font that comes along.

WeasyPrint is the extra `pdf` and needs Pango of the system (Debian: libpango-1.0-0, libpangoft2-1.0-0,
libharfbuzz-subset0). Without them everything else works, and the page prints from every browser.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from nrm.delivery.letters.page import FOLDER, STYLE
from nrm.delivery.letters.typesetting import MISSING
from nrm.errors import Conflict

SECONDS: Final = 20
MEGABYTES: Final = 1024
LONGEST_PAGE: Final = 400_000
"""Characters of a page that is set: a letter with the longest texts that a referral takes has a tenth of it."""

_HOME: Final = str(Path(__file__).parents[3])
_CODE: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from nrm.delivery.letters.typesetting import main; "
    "main(int(sys.argv[2]), int(sys.argv[3]))"
)
_FACE: Final = (
    '@font-face {{ font-family: "Vazirmatn"; font-weight: {weight}; src: url({address}) format("woff2"); }}\n'
)


@lru_cache(maxsize=1)
def _style() -> str:
    faces = ""
    for weight, name in ((400, "Regular"), (700, "Bold")):
        font = base64.b64encode((FOLDER / "fonts" / f"Vazirmatn-{name}.woff2").read_bytes()).decode()
        faces += _FACE.format(weight=weight, address=f"data:font/woff2;base64,{font}")
    return faces + STYLE.read_text(encoding="utf-8")


def render_pdf(page: str, *, seconds: int = SECONDS, megabytes: int = MEGABYTES) -> bytes:
    """Set the page of a letter as PDF.

    Args:
        page: from `render_page`, with any address of a style: it is not opened.
        seconds: wall and processor time that it may take.
        megabytes: address space that it may use.

    Raises:
        Conflict: `pdf_not_installed` without the extra or Pango, `pdf_failed` when the page is too long or took
            too much time or memory.
    """
    if len(page) > LONGEST_PAGE:
        raise Conflict("pdf_failed")
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code; the page goes through stdin
            [sys.executable, "-I", "-c", _CODE, _HOME, str(seconds), str(megabytes)],
            input=json.dumps({"page": page, "style": _style()}).encode(),
            capture_output=True,
            env={"LANG": "C.UTF-8"},
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Conflict("pdf_failed") from late
    if done.returncode == MISSING:
        raise Conflict("pdf_not_installed")
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise Conflict("pdf_failed")
    return done.stdout
