"""Users, for those who manage them: find, add, seat, shut out, help after a lost telephone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.codes import names
from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from api.transport import cursors
from nrm.actions import seats
from nrm.actions import users as actions
from nrm.credentials import new_recovery_code
from nrm.errors import NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.queries import packs
from nrm.queries import users as queries
from nrm.queries.history import user_history
from nrm.queries.user_scope import manages_all
from nrm.queries.users import RoleRequestRow
from nrm.rules.texts import unstorable

users = Pages("users")

MANAGE: Final = "user.manage"
_LIST: Final = "pages.users"
_ROWS: Final = 40
_DONE: Final = frozenset(
    {"added", "changed", "disabled", "enabled", "seated", "asked", "ended", "reset", "signed_out", "decided"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with a form.

    Attributes:
        form: which one.
        told: field → words.
    """

    form: str
    told: Mapping[str, str] = field(default_factory=dict)


def told(visit: Visit, problems: tuple[Problem, ...]) -> dict[str, str]:
    """Say what is wrong with each field, by the field's name."""
    found: dict[str, str] = {}
    for one in problems:
        name = one.pointer.strip("/").partition("/")[0]
        found[name] = " ".join(filter(None, (found.get(name), visit.problem(one.code, one.params))))
    return found


@users.get("/admin/users", permission=MANAGE)
def list_users(visit: Visit) -> Answer:
    """List the users whom the visitor manages, by sign-in name."""
    cursor = visit.query.get("after")
    after = cursors.read_cursor(_LIST, cursor) if cursor else None
    page = queries.users(visit.actor, visit.now, after=after, limit=_ROWS)
    following = None
    if page.next_key:
        following = "/admin/users?" + urlencode({"after": cursors.write_cursor(_LIST, page.next_key)})
    return _list(visit, page.items, following=following)


@users.post("/admin/users/find", permission=MANAGE)
def find(visit: Visit) -> Answer:
    """Find users by name or sign-in name; what was looked for stays out of the address."""
    text = visit.text("text")[:100]
    if wrong := unstorable(text):
        raise NotValid([Problem(pointer="/text", code=wrong)])
    page = queries.users(visit.actor, visit.now, text=text, limit=100)
    return _list(visit, page.items, text=text, more=page.next_key is not None)


def _list(
    visit: Visit,
    rows: tuple[queries.UserRow, ...],
    *,
    following: str | None = None,
    text: str = "",
    more: bool = False,
) -> Response:
    return visit.show(
        "admin/users.html",
        rows=rows,
        next_page=following,
        text=text,
        more=more,
        requests=_requests(visit),
        roles=packs.pack().role_names,
        names=names(visit),
        done=visit.query.get("done") if visit.query.get("done") in _DONE else None,
    )


def _requests(visit: Visit) -> tuple[RoleRequestRow, ...]:
    """Give the roles that wait for a second person; they are only of those who manage the whole country."""
    return queries.role_requests(visit.actor).items if manages_all(visit.actor) else ()


@users.get("/admin/users/new", permission=MANAGE)
def show_new(visit: Visit) -> Answer:
    """Ask who is to be added."""
    return _new(visit)


def _new(visit: Visit, trouble: Trouble | None = None) -> Response:
    return visit.show(
        "admin/user_new.html", status=422 if trouble else 200, trouble=trouble, languages=own_names(), form=visit.form
    )


@users.post("/admin/users/new", permission=MANAGE)
def add(visit: Visit) -> Answer:
    """Add a user with a first password that is shown once."""
    password = new_recovery_code()
    language = visit.text("language")
    try:
        added = actions.add_user(
            visit.actor,
            login=visit.text("login"),
            name=visit.text("name"),
            password=password,
            email=visit.text("email") or None,
            language=language if language in LANGUAGES else visit.language,
        )
    except NotValid as error:
        return _new(visit, Trouble(form="new", told=told(visit, error.problems)))
    return _once(visit, added.id, password, what="password")


def _once(visit: Visit, user_id: str, password: str, *, what: str) -> Response:
    user = queries.user(visit.actor, user_id, visit.now)
    return visit.show(
        "admin/secret.html",
        title=visit.words.t("users.first_password"),
        says=visit.words.t("users.first_password_says"),
        secrets=((visit.words.t("session.login"), user.login), (visit.words.t("session.password"), password)),
        onward=f"/admin/users/{user_id}",
        onward_text=user.name,
        what=what,
    )


@users.get("/admin/users/<user_id>", permission=MANAGE)
def show(visit: Visit, user_id: str) -> Answer:
    """Show a user with the seats that count, and what may be done."""
    return _page(visit, user_id)


def _page(visit: Visit, user_id: str, trouble: Trouble | None = None) -> Response:
    user = queries.user(visit.actor, user_id, visit.now)
    chosen = visit.form.get("organisation") or visit.query.get("organisation") or ""
    organisations = [(key, visit.words.name(named)) for key, named in queries.organisations_to_seat(visit.actor)]
    chosen = chosen if chosen in dict(organisations) else organisations[0][0] if len(organisations) == 1 else ""
    return visit.show(
        "admin/user.html",
        status=422 if trouble else 200,
        user=user,
        trouble=trouble,
        form=visit.form,
        organisations=organisations,
        chosen=chosen,
        desks=[
            (desk.id, visit.words.name(desk.names)) for desk in packs.pack().desks if desk.organisation_id == chosen
        ],
        roles_to_give=_roles(visit, chosen),
        roles=packs.pack().role_names,
        country_roles=packs.pack().country_roles,
        waiting=[one for one in _requests(visit) if one.user_id == user_id],
        history=user_history(visit.actor, user_id, visit.now),
        languages=own_names(),
        is_me=user_id == visit.actor.id,
        today=visit.now.astimezone(visit.words.zone).date().isoformat(),
        done=visit.query.get("done") if visit.query.get("done") in _DONE else None,
    )


def _roles(visit: Visit, organisation_id: str) -> list[tuple[str, str]]:
    if not organisation_id:
        return []
    pack = packs.pack()
    own = None if manages_all(visit.actor) else seats.own_roles(organisation_id)
    found = [(key, visit.words.name(named)) for key, named in pack.role_names.items() if own is None or key in own]
    return sorted(found, key=lambda pair: pair[1])


@users.post("/admin/users/<user_id>", permission=MANAGE)
def change(visit: Visit, user_id: str) -> Answer:
    """Change a user's name, address or language."""
    queries.user(visit.actor, user_id, visit.now)
    changes = {"name": visit.text("name"), "email": visit.text("email") or None}
    if visit.text("language") in LANGUAGES:
        changes["language"] = visit.text("language")
    try:
        actions.change_user(visit.actor, user_id, changes, version=visit.version())
    except NotValid as error:
        return _page(visit, user_id, Trouble(form="change", told=told(visit, error.problems)))
    return _done(user_id, "changed")


def _done(user_id: str, what: str) -> Response:
    return see(f"/admin/users/{user_id}?done={what}")


@users.post("/admin/users/<user_id>/disable", permission=MANAGE)
def disable(visit: Visit, user_id: str) -> Answer:
    """Shut a user out at once."""
    queries.user(visit.actor, user_id, visit.now)
    actions.disable_user(visit.actor, user_id, version=visit.version())
    return _done(user_id, "disabled")


@users.post("/admin/users/<user_id>/enable", permission=MANAGE)
def enable(visit: Visit, user_id: str) -> Answer:
    """Let a disabled user sign in again, without any seat."""
    queries.user(visit.actor, user_id, visit.now)
    actions.enable_user(visit.actor, user_id, version=visit.version())
    return _done(user_id, "enabled")


@users.post("/admin/users/<user_id>/password", permission=MANAGE)
def give_password(visit: Visit, user_id: str) -> Answer:
    """Give a user a new password, shown once; all of the user's sessions end."""
    queries.user(visit.actor, user_id, visit.now)
    password = new_recovery_code()
    actions.set_password(visit.actor, user_id, password)
    return _once(visit, user_id, password, what="password")


@users.post("/admin/users/<user_id>/second-factor", permission=MANAGE)
def reset_second_factor(visit: Visit, user_id: str) -> Answer:
    """Take away a user's second factor, so that another telephone can be set up."""
    queries.user(visit.actor, user_id, visit.now)
    actions.reset_second_factor(visit.actor, user_id)
    return _done(user_id, "reset")


@users.post("/admin/users/<user_id>/sessions/end", permission=MANAGE)
def end_sessions(visit: Visit, user_id: str) -> Answer:
    """Sign a user out everywhere."""
    queries.user(visit.actor, user_id, visit.now)
    actions.end_user_sessions(visit.actor, user_id)
    return _done(user_id, "signed_out")


@users.post("/admin/users/<user_id>/seats", permission=MANAGE)
def give_seat(visit: Visit, user_id: str) -> Answer:
    """Give a user a role; one that counts for the whole country waits for a second person."""
    queries.user(visit.actor, user_id, visit.now)
    role = visit.text("role")
    give = seats.ask_role if role in packs.pack().country_roles else seats.give_membership
    try:
        give(
            visit.actor,
            user_id,
            organisation_id=visit.text("organisation"),
            role=role,
            desk_id=visit.text("desk") or None,
            until=end_of_day(visit, visit.text("until")),
        )
    except NotValid as error:
        return _page(visit, user_id, Trouble(form="seat", told=told(visit, error.problems)))
    return _done(user_id, "asked" if give is seats.ask_role else "seated")


def end_of_day(visit: Visit, text: str, *, field_name: str = "until") -> datetime | None:
    """Read a day as the moment at which it is over; None for an empty field.

    Raises:
        NotValid: it is no day, or one that no calendar has a next day for.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=1), time(), visit.words.zone)
    except (ValueError, OverflowError):
        raise NotValid([Problem(pointer=f"/{field_name}", code="not_a_date")]) from None


@users.post("/admin/users/<user_id>/seats/<membership_id>/end", permission=MANAGE)
def end_seat(visit: Visit, user_id: str, membership_id: str) -> Answer:
    """Take a role away at once."""
    seats.end_membership(visit.actor, membership_id)
    return _done(user_id, "ended") if user_id != visit.actor.id else see("/me")


@users.post("/admin/role-requests/<request_id>", permission=MANAGE)
def decide(visit: Visit, request_id: str) -> Answer:
    """Agree, as the second person, to a role for the whole country, or refuse it."""
    seats.decide_role(visit.actor, request_id, approve=visit.form.get("decision") == "approve")
    return see("/admin/users?done=decided")
