"""Referrals for systems that speak FHIR R4: a read-only facade at /fhir, with the keys and scopes of the API.

Errors are OperationOutcomes where the request accepts application/fhir+json, else problems as everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, request

from api.schemas.fhir import TaskSearch
from api.transport import cursors
from api.transport.endpoint import Ask, Noun
from api.transport.outcomes import FHIR_TYPE
from api.transport.problems import language
from api.transport.shapes import write_json
from api.v1.referrals import read_referral
from nrm.errors import NotValid, Problem
from nrm.ids import is_id
from nrm.installation import installation
from nrm.queries import referrals as queries
from nrm.queries.fhir_tasks import task_of
from nrm.queries.page import Page
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.referrals import ReferralFilter
from nrm.rules.statuses import REFERRAL_STATES

fhir = Noun("fhir", prefix="/fhir")

Resource = dict[str, Any]

_SINCE: Final = "2026-11-21"
"""The day on which what the facade can do last changed."""
_PARAMETERS: Final = (("status", "token"), ("_lastUpdated", "date"), ("owner", "reference"), ("requester", "reference"))
_CURSOR: Final = "fhir.search_tasks"


@fhir.get("/metadata", answer=Resource, signed_in=False, media=FHIR_TYPE)
def describe(ask: Ask) -> Response:
    """Say what the facade can do (CapabilityStatement)."""
    del ask
    return _write(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": _SINCE,
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "implementation": {"description": "National Referral Mechanism", "url": f"{_base()}/fhir"},
            "rest": [
                {
                    "mode": "server",
                    "security": {"description": "A key or OAuth token with the scope referrals:read, as bearer"},
                    "resource": [
                        {
                            "type": "Task",
                            "interaction": [{"code": "read"}, {"code": "search-type"}],
                            "versioning": "no-version",
                            "searchParam": [{"name": name, "type": kind} for name, kind in _PARAMETERS],
                        }
                    ],
                }
            ],
        }
    )


@fhir.get("/Task", query=TaskSearch, answer=Resource, scope="referrals:read", media=FHIR_TYPE)
def search_tasks(ask: Ask) -> Response:
    """Find referrals as Tasks, the latest changed first; the person is a code in them.

    Without a requester, or with another organisation as requester, those that came in; with one's own organisation as
    requester those that it sent.
    """
    sender, receiver = _organisation(ask, "requester"), _organisation(ask, "owner")
    since, until = _moments(ask.query.get("last_updated"))
    page = queries.referrals(
        ask.actor,
        installation().clock.now(),
        came_in=sender not in ask.actor.organisations,
        only=ReferralFilter(
            states=_states(ask.query.get("status")),
            sender=sender,
            receiver=receiver,
            updated_since=since,
            updated_until=until,
        ),
        after=ask.after,
        limit=ask.limit,
    )
    return _write(_bundle(page))


@fhir.get("/Task/<referral_id>", answer=Resource, scope="referrals:read", media=FHIR_TYPE, purposed=True)
def read_task(ask: Ask, referral_id: str) -> Response:
    """Read a referral as a Task with its ServiceRequest; it shows what the referral shows, and counts as reading it."""
    found = read_referral(ask, referral_id.replace("-", "_", 1))
    if not isinstance(found, ReferralView):
        raise TypeError("reading a referral gives a referral")
    answer = _write(task_of(found, language()))
    answer.headers["ETag"] = f'W/"{found.version}"'
    return answer


def _bundle(page: Page[ReferralView]) -> Resource:
    links = [{"relation": "self", "url": _base() + request.full_path.rstrip("?")}]
    if page.next_key is not None:
        others = [(name, value) for name, value in request.args.items() if name != "_cursor"]
        cursor = cursors.write_cursor(_CURSOR, page.next_key)
        links.append(
            {"relation": "next", "url": f"{_base()}{request.path}?{urlencode([*others, ('_cursor', cursor)])}"}
        )
    tasks = [task_of(view, language(), by_code=True) for view in page.items]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if tasks:
        bundle["entry"] = [
            {"fullUrl": f"{_base()}/fhir/Task/{task['id']}", "resource": task, "search": {"mode": "match"}}
            for task in tasks
        ]
    return bundle


def _states(statuses: str | None) -> frozenset[str] | None:
    """Give our states of some of FHIR's statuses.

    Raises:
        NotValid: one of them is none that a referral has.
    """
    if statuses is None:
        return None
    asked = {status.strip() for status in statuses.split(",")}
    known = {facts.fhir for facts in REFERRAL_STATES.values()}
    if not asked <= known:
        raise _unfit("status", "not_a_choice", choices=", ".join(sorted(known)))
    return frozenset(str(state) for state, facts in REFERRAL_STATES.items() if facts.fhir in asked)


def _moments(asked: str | None) -> tuple[datetime | None, datetime | None]:
    """Read "ge" or "le" and a moment; a moment alone means since then.

    Raises:
        NotValid: it is not one with its time zone.
    """
    if asked is None:
        return None, None
    prefix = asked[:2] if asked[:2].isalpha() else "ge"
    text = asked.removeprefix(prefix).replace(" ", "+")
    try:
        given = datetime.fromisoformat(text)
        # The first and last hours that can be written have no moment in every zone.
        moment = given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unfit("_lastUpdated", "not_a_moment") from None
    if given.tzinfo is None:
        raise _unfit("_lastUpdated", "no_time_zone")
    if prefix not in ("ge", "le"):
        raise _unfit("_lastUpdated", "not_a_choice", choices="ge, le")
    return (moment, None) if prefix == "ge" else (None, moment)


def _organisation(ask: Ask, name: str) -> str | None:
    """Give the id of an organisation that a parameter names.

    Raises:
        NotValid: it names none.
    """
    given = ask.query.get(name)
    if given is None:
        return None
    found = str(given).rpartition("|")[2].removeprefix("Organization/").replace("-", "_", 1)
    if not is_id(found, "org"):
        raise _unfit(name, "not_an_id")
    return found


def _unfit(pointer: str, code: str, **params: str) -> NotValid:
    return NotValid([Problem(pointer=f"/{pointer}", code=code, params=params)])


def _base() -> str:
    return installation().config.public_url


def _write(resource: Resource) -> Response:
    answer = Response(write_json(resource), content_type=FHIR_TYPE)
    answer.headers["Content-Language"] = language()
    answer.headers["Vary"] = "Accept, Accept-Language"
    return answer
