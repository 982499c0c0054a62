"""The first page of a demonstration: what this is, who may sign in, where to look; in every language at once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, render_template, send_from_directory

from nrm.demo.making import SignIn, sign_ins
from nrm.demo.stories import read_demo
from nrm.i18n import LANGUAGES, catalogue
from nrm.installation import installation

_HERE: Final = Path(__file__).parents[1]
RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb"})

blueprint: Final = Blueprint("welcome", __name__, template_folder=str(_HERE / "templates"))


@blueprint.get("/")
def welcome() -> str:
    """Show the demonstration's first page."""
    password, people = _who(str(installation().config.pack_dir))
    languages = [(code, "rtl" if code in RIGHT_TO_LEFT else "ltr", catalogue("welcome", code)) for code in LANGUAGES]
    return render_template("demo/welcome.html", languages=languages, password=password, people=people)


@blueprint.get("/demo.css")
def style() -> Response:
    """Give the page's style."""
    return send_from_directory(_HERE / "static" / "css", "demo.css", mimetype="text/css", max_age=3600)


@lru_cache(maxsize=1)
def _who(pack_dir: str) -> tuple[str, tuple[SignIn, ...]]:
    demo = read_demo(Path(pack_dir))
    return demo.password, sign_ins(demo)
