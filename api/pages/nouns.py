"""All pages, as the application registers them; and what every page may name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask, request

from api.pages import handbook
from api.pages.administering import ADMINISTERING
from api.pages.administration import ADMINISTER
from api.pages.answering import answering
from api.pages.bulk import bulk
from api.pages.capacity import capacity
from api.pages.cases import cases
from api.pages.complain import complain
from api.pages.complaints import complaints
from api.pages.consents import consents
from api.pages.desk import desk
from api.pages.documents import documents
from api.pages.guide import guide
from api.pages.kit import assets
from api.pages.kit.visits import Visit, own_address, own_names, see
from api.pages.manifest_columns import manifest_columns
from api.pages.manifests import manifests
from api.pages.me import me
from api.pages.notices import notices
from api.pages.path_migrations import path_migrations
from api.pages.people import people
from api.pages.person import person
from api.pages.person_edit import person_edit
from api.pages.person_pairs import person_pairs
from api.pages.plans import plans
from api.pages.referrals import referrals
from api.pages.session import session
from api.pages.studio import studio
from api.pages.studio_editor import studio_editor
from api.pages.studio_forms import studio_forms
from api.pages.studio_import import studio_import
from api.pages.studio_trial import studio_trial
from api.pages.tasks import tasks
from api.pages.times import times
from api.pages.waiting import waiting
from api.pages.work import work
from api.pages.work_finding import work_finding
from nrm.installation import installation
from nrm.queries import health, notifications

PAGES: Final = (
    session,
    work,
    work_finding,
    bulk,
    desk,
    tasks,
    cases,
    referrals,
    answering,
    guide,
    handbook.handbook,
    me,
    times,
    notices,
    people,
    person,
    person_edit,
    person_pairs,
    consents,
    *ADMINISTERING,
    complain,
    complaints,
    documents,
    manifests,
    manifest_columns,
    plans,
    studio,
    capacity,
    studio_editor,
    studio_forms,
    studio_import,
    studio_trial,
    path_migrations,
    waiting,
)
_TEMPLATES: Final = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A place in the main menu.

    Attributes:
        address: where it leads.
        text: key of its text.
        here: the page is in that place.
    """

    address: str
    text: str
    here: bool


_MENU: Final[tuple[tuple[str, str, str | tuple[str, ...] | None, tuple[str, ...]], ...]] = (
    ("/work", "shell.menu_work", None, ("/work", "/tasks", "/find-work")),
    ("/desk", "desk.desks", "task.assign", ("/desk",)),
    ("/cases", "shell.menu_cases", "case.read", ("/cases",)),
    ("/people", "shell.menu_people", "person.search", ("/people",)),
    ("/manifests", "manifests.menu", "manifest.import", ("/manifests",)),
    ("/referrals", "shell.menu_referrals", "directory.read", ("/referrals",)),
    ("/services", "services.menu", "capacity.edit", ("/services",)),
    ("/complaints", "complaints.menu", "complaint.handle", ("/complaints",)),
    ("/studio", "studio.menu", "path.read", ("/studio",)),
    ("/admin", "shell.menu_admin", ADMINISTER, ("/admin", "/incidents")),
)
"""Address, text, permission that is needed (one of several), and the addresses that belong to it."""


def menu(visit: Visit) -> Iterator[Entry]:
    """Give the main menu of a visitor: only places that the visitor may enter."""
    for address, text, permission, places in _MENU:
        needed = (permission,) if isinstance(permission, str) else permission
        if needed is None or any(visit.may(one) for one in needed):
            yield Entry(address=address, text=text, here=request.path.startswith(places))


def unread_notices(visit: Visit) -> int:
    """Count what is new for a visitor, for the bar of each page."""
    return notifications.unread_count(visit.actor, visit.now)


def runner_silent(visit: Visit) -> bool:
    """Say, to those who watch over failures, whether no runner gave a sign of life lately."""
    watches = visit.may("incident.read") or visit.may("system.watch")
    return watches and health.runner_is_silent()


def register_pages(app: Flask) -> None:
    """Add all pages to the application."""
    app.template_folder = str(_TEMPLATES)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(handbook.pictures)
    for noun in PAGES:
        app.register_blueprint(noun.blueprint)
    if not installation().config.demo:
        # A demonstration has a first page of its own.
        app.add_url_rule("/", endpoint="front_door", view_func=lambda: see("/work"), methods=["GET"])
    app.jinja_env.globals.update(
        asset=assets.address,
        menu=menu,
        unread_notices=unread_notices,
        runner_silent=runner_silent,
        own_names=own_names(),
        has_guide=handbook.is_there(),
    )

    @app.context_processor
    def _about() -> dict[str, object]:
        return {"demo": installation().config.demo, "back": own_address(request.full_path.rstrip("?"))}
