"""What a draft may name, as it stands in the database now: kept per process until pack, paths or forms change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func, select

from nrm.actions.path_checks import codes_by_list, form_choices, form_fields, pack_facts
from nrm.countries import Json, Pack
from nrm.countries.values import names_at_start
from nrm.db import db
from nrm.engine.lint import Known
from nrm.engine.steps import Resources
from nrm.errors import NotValid
from nrm.models import FormVersion, Path, PathVersion
from nrm.queries import packs
from nrm.queries.pack_rows import read_pack
from nrm.rules.forms import Form, parse_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Everything that a diagram may name.

    Attributes:
        mark: changes with everything else here.
        pack: the country's data with the newest forms and paths.
        known: the same as lint needs it.
        resources: settings and tables.
    """

    mark: str
    pack: Pack
    known: Known
    resources: Resources


_lock: Final = threading.Lock()
_held: dict[str, Installed] = {}


def installed() -> Installed:
    """Give what diagrams may name now."""
    mark = _mark()
    held = _held.get("installed")
    if held is not None and held.mark == mark:
        return held
    with _lock:
        pack = read_pack(db.session())
        known, resources = pack_facts(pack)
        known = replace(known, versions=_versions())
        _held["installed"] = Installed(mark=mark, pack=pack, known=known, resources=resources)
    return _held["installed"]


def _mark() -> str:
    newest = db.session.execute(select(Path.key, Path.latest_id).order_by(Path.key)).all()
    versions = db.session.execute(select(func.count(PathVersion.id))).scalar_one()
    forms = db.session.execute(select(func.count(FormVersion.id))).scalar_one()
    return repr((packs.pack().stamp, versions, forms, [tuple(row) for row in newest]))


def _versions() -> dict[str, frozenset[int]]:
    """Give the numbers of each path's versions; a retired one may still be called by its number."""
    numbers: dict[str, set[int]] = {}
    found = select(Path.key, PathVersion.number).join(PathVersion, PathVersion.path_id == Path.id)
    for key, number in db.session.execute(found).all():
        numbers.setdefault(key, set()).add(number)
    return {key: frozenset(each) for key, each in numbers.items()}


def known_with(
    installed: Installed, path: str, forms: Mapping[str, object], scenarios: Mapping[str, dict[str, Json]]
) -> Known:
    """Give what a draft may name: what is installed, with its own forms and the values that start it.

    Args:
        installed: from `installed`.
        path: the draft's path key.
        forms: the forms that it changes; one that cannot be read is not known.
        scenarios: its scenarios.
    """
    known = installed.known
    read = {key: form for key, data in forms.items() if (form := _form(data)) is not None}
    own = {key: form_fields(form) for key, form in read.items()}
    codes = codes_by_list(installed.pack)
    choices = {key: form_choices(form, codes) for key, form in read.items()}
    started = known.passed.get(path, frozenset()) | names_at_start(scenarios.values())
    return replace(
        known,
        forms={**{key: fields for key, fields in known.forms.items() if key not in forms}, **own},
        choices={**{key: fields for key, fields in known.choices.items() if key not in forms}, **choices},
        paths={**known.paths, path: known.paths.get(path, frozenset())},
        passed={**known.passed, path: started},
    )


def _form(data: object) -> Form | None:
    try:
        return parse_form(data)
    except NotValid:
        return None
