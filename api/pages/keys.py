"""Keys and clients of partners' programs, for those who manage them: issue, replace, revoke, and see what they ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from flask import Response, current_app

from api.pages.codes import names
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.users import Trouble, told
from api.transport import cursors
from nrm.actions import keys as actions
from nrm.actions.keys import LONGEST_DAYS, OVERLAP, IssuedKey
from nrm.errors import NotValid, Problem
from nrm.installation import installation
from nrm.queries import directory, request_log
from nrm.queries import keys as queries
from nrm.queries.history import key_history
from nrm.queries.keys import KeyRow
from nrm.rules.permissions import SCOPES
from nrm.vocabulary import KeyKind

keys = Pages("keys")

MANAGE: Final = "key.manage"
_LIST: Final = "pages.keys"
_LOG: Final = "pages.keys.log"
_ROWS: Final = 40
_DAYS: Final = 180
_LONGEST_JWK: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A key in a list.

    Attributes:
        row: the key.
        state: live, ending (within a day, since it was replaced or is old), over or revoked.
    """

    row: KeyRow
    state: str


def _state(row: KeyRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "over"
    return "ending" if row.expires_at - now <= OVERLAP else "live"


@keys.get("/admin/keys", permission=MANAGE)
def list_keys(visit: Visit) -> Answer:
    """List keys and clients, the newest first."""
    cursor = visit.query.get("after")
    chosen = visit.query.get("organisation", "")
    page = queries.keys(
        visit.actor,
        organisation_id=chosen or None,
        after=cursors.read_cursor(_LIST, cursor) if cursor else None,
        limit=_ROWS,
    )
    following = None
    if page.next_key:
        following = "/admin/keys?" + urlencode(
            {"organisation": chosen, "after": cursors.write_cursor(_LIST, page.next_key)}
        )
    return visit.show(
        "admin/keys.html",
        rows=[Shown(row=row, state=_state(row, visit.now)) for row in page.items],
        organisations=_organisations(visit),
        names=names(visit),
        chosen=chosen,
        next_page=following,
        done=visit.query.get("done") == "revoked",
    )


def _organisations(visit: Visit) -> list[tuple[str, str]]:
    """Give the organisations for which the visitor may issue keys."""
    managed = queries.managed_organisations(visit.actor)
    known = directory.organisation_names()
    found = [(key, visit.words.name(named)) for key, named in known.items() if managed is None or key in managed]
    return sorted(found, key=lambda pair: pair[1])


@keys.get("/admin/keys/new", permission=MANAGE)
def show_new(visit: Visit) -> Answer:
    """Ask what the key is for."""
    return _new(visit)


def _new(visit: Visit, trouble: Trouble | None = None) -> Response:
    allowed = installation().config.allow_static_keys
    return visit.show(
        "admin/key_new.html",
        status=422 if trouble else 200,
        trouble=trouble,
        form=visit.form,
        ticked=frozenset(visit.form.getlist("scopes")),
        organisations=_organisations(visit),
        scopes=tuple(SCOPES),
        kinds=[kind for kind in KeyKind if allowed or kind != KeyKind.KEY],
        days=_DAYS,
        longest=LONGEST_DAYS,
    )


@keys.post("/admin/keys/new", permission=MANAGE)
def issue(visit: Visit) -> Answer:
    """Issue a key or client, and show its secret once."""
    try:
        issued = actions.issue_key(
            visit.actor,
            visit.text("organisation"),
            name=visit.text("name"),
            scopes=visit.form.getlist("scopes"),
            networks=re.split(r"[\s,]+", visit.text("networks")) if visit.text("networks") else [],
            days=_days(visit),
            livemode=visit.text("mode") != "test",
            kind=visit.text("kind"),
            public_key=_public_key(visit),
        )
    except NotValid as error:
        return _new(visit, Trouble(form="new", told=told(visit, error.problems)))
    return _once(visit, issued)


def _days(visit: Visit) -> int:
    """Read for how many days a key is valid.

    Raises:
        NotValid: it is no number.
    """
    text = visit.text("days") or str(_DAYS)
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise NotValid([Problem(pointer="/days", code="not_an_integer")])
    return int(text)


def _public_key(visit: Visit) -> Mapping[str, Any] | None:
    """Read a public key as it was pasted.

    Raises:
        NotValid: it is no JSON object.
    """
    text = visit.text("public_key")
    if not text:
        return None
    try:
        found = orjson.loads(text[:_LONGEST_JWK])
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise NotValid([Problem(pointer="/public_key", code="not_an_object")])
    return found


def _once(visit: Visit, issued: IssuedKey) -> Response:
    row = queries.key(visit.actor, issued.id)
    say = visit.words.t
    secrets = [(say("keys.kind_" + row.kind), issued.text)] if issued.text else []
    if row.kind != KeyKind.KEY:
        secrets.insert(0, (say("keys.client_id"), issued.id))
    return visit.show(
        "admin/secret.html",
        title=say("keys.issued"),
        says=say("keys.issued_says"),
        secrets=secrets,
        onward=f"/admin/keys/{issued.id}",
    )


@keys.get("/admin/keys/<key_id>", permission=MANAGE)
def show(visit: Visit, key_id: str) -> Answer:
    """Show what is known of a key, and what was asked with it lately."""
    return _page(visit, key_id)


def _page(visit: Visit, key_id: str, trouble: Trouble | None = None) -> Response:
    row = queries.key(visit.actor, key_id)
    current_app.extensions["nrm.request_log"].flush()
    cursor = visit.query.get("after")
    after = cursors.read_cursor(_LOG, cursor) if cursor else None
    log = request_log.requests(visit.actor, key_id=key_id, after=after, limit=_ROWS)
    following = None
    if log.next_key:
        following = f"/admin/keys/{key_id}?" + urlencode({"after": cursors.write_cursor(_LOG, log.next_key)}) + "#log"
    return visit.show(
        "admin/key.html",
        status=422 if trouble else 200,
        key=row,
        state=_state(row, visit.now),
        trouble=trouble,
        form=visit.form,
        names=names(visit),
        log=log.items,
        next_page=following,
        history=key_history(visit.actor, key_id),
        roles={},
        days=_DAYS,
        longest=LONGEST_DAYS,
    )


@keys.post("/admin/keys/<key_id>/rotate", permission=MANAGE)
def rotate(visit: Visit, key_id: str) -> Answer:
    """Replace a key; the old one counts for another day."""
    queries.key(visit.actor, key_id)
    try:
        issued = actions.rotate_key(visit.actor, key_id, days=_days(visit), public_key=_public_key(visit))
    except NotValid as error:
        return _page(visit, key_id, Trouble(form="rotate", told=told(visit, error.problems)))
    return _once(visit, issued)


@keys.post("/admin/keys/<key_id>/revoke", permission=MANAGE)
def revoke(visit: Visit, key_id: str) -> Answer:
    """Make a key worthless at once."""
    queries.key(visit.actor, key_id)
    actions.revoke_key(visit.actor, key_id)
    return see("/admin/keys?done=revoked")
