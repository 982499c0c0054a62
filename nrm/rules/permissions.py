"""What a role may be allowed to do. Roles are data of the country pack; the names of permissions stand here.

A permission says what somebody may do at all; which cases they may do it in is decided by case access.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from nrm.actors import Actor
from nrm.errors import NotAllowed, NotFound, NotValid, Problem

PERMISSIONS: Final[Mapping[str, str]] = {
    "person.search": "Find people by name, paper or phone before registering.",
    "person.register": "Register a person.",
    "person.edit": "Change what is recorded of a person.",
    "person.merge": "Join two records of one person, or say that they are two.",
    "case.open": "Open a case.",
    "case.read": "Read the cases that one has access to.",
    "case.work": "Record needs, plan, notes and documents in those cases.",
    "case.overview": "See that cases exist and how they stand, without their content.",
    "case.read_strict": "Be given access to strictly confidential cases.",
    "case.break_glass": "Open a case without access, with a reason and an alert.",
    "case.level": "Change who may know of a case.",
    "case.transfer": "Hand a case to another office.",
    "case.close": "Close and reopen a case.",
    "consent.record": "Record a consent or its withdrawal.",
    "consent.override": "Ask to share without consent, on a legal ground.",
    "consent.approve": "Approve, as the second person, sharing without consent.",
    "plan.edit": "Write a reintegration plan.",
    "plan.approve": "Approve a reintegration plan.",
    "run.start": "Start another path for a case.",
    "run.cancel": "Cancel a run of a path.",
    "task.work": "Claim and complete tasks of one's desks.",
    "task.assign": "Give tasks to others, take them back, hold them.",
    "referral.send": "Write, send, cancel and confirm referrals.",
    "referral.receive": "Answer referrals that one's organisation got.",
    "referral.correct": "Mark a referral as entered in error, or end one that nobody ends.",
    "referral.escalated": "Be told of referrals that are not answered.",
    "incident.read": "See steps that failed.",
    "incident.repair": "Retry, repair or cancel a step that failed.",
    "manifest.import": "Import an arrival list.",
    "document.add": "Add documents to a case.",
    "document.read": "Open the documents of a case.",
    "letter.register": "Record outgoing and incoming letters.",
    "complaint.handle": "Work on complaints.",
    "directory.read": "Read the directory of organisations and services.",
    "directory.read_restricted": "Read also the services that are not public.",
    "directory.edit": "Change organisations, desks, services and agreements.",
    "capacity.edit": "Say how many places a service of one's organisation has.",
    "path.read": "Read paths, forms and tables.",
    "path.edit": "Draft paths, forms and tables.",
    "path.publish": "Publish what somebody else has drafted.",
    "pack.load": "Load, change and export the country's data.",
    "user.manage": "Add and disable users and their desks.",
    "key.manage": "Issue and revoke keys of partner programs.",
    "indicators.read": "Read statistics.",
    "export.read": "Export data.",
    "audit.read": "Read who did what.",
    "disclosure.read": "Read the ledger of what was shared with whom.",
    "access_request.answer": "Answer people who ask what is stored of them.",
    "retention.manage": "Hold back or start the erasure of old cases.",
    "system.watch": "See whether the system works, without any case.",
}
"""Permission name → what it lets somebody do."""

SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "referrals:read": frozenset(),
    "referrals:act": frozenset({"referral.receive"}),
    "referrals:send": frozenset({"referral.send"}),
    "subject:read": frozenset(),
    "tasks:read": frozenset(),
    "tasks:act": frozenset({"task.work"}),
    "directory:write": frozenset({"capacity.edit"}),
    "webhooks:manage": frozenset(),
    "events:read": frozenset(),
}
"""Scope of a partner's key → the permissions that it gives beside itself."""

OF_EACH_KEY: Final = frozenset({"directory.read"})
"""What a key may do whatever its scopes are: find the services to which it may refer."""


def may(permissions: Collection[str], permission: str) -> bool:
    """Tell whether an actor with these permissions may do something.

    Raises:
        KeyError: there is no permission of that name: a slip in the code must not let anybody in or out silently.
    """
    if permission not in PERMISSIONS:
        raise KeyError(permission)
    return permission in permissions


def acts_for(actor: Actor, scope: str, organisation_id: str | None = None) -> str:
    """Say for which organisation an actor uses the partner API: a key for its own, a person who manages its keys.

    Args:
        actor: who asks.
        scope: the scope that a key needs for it.
        organisation_id: which one, for a person who manages the keys of several; None for the first.

    Raises:
        NotAllowed: for none.
        NotFound: not for that one.
    """
    given = [seat.organisation_id for seat in actor.seats if seat.permissions & {scope, "key.manage"}]
    if not given:
        raise NotAllowed("not_allowed", permission="key.manage")
    if organisation_id is not None and organisation_id not in given:
        raise NotFound
    return organisation_id or given[0]


def parse_roles(data: Sequence[Mapping[str, object]]) -> Mapping[str, frozenset[str]]:
    """Read the roles of a pack.

    Args:
        data: a list of {"code": role, "permissions": […], …}.

    Returns:
        Role → permission names.

    Raises:
        NotValid: a role without a code or list, or an unknown permission, by pointer.
    """
    problems: list[Problem] = []
    roles: dict[str, frozenset[str]] = {}
    for place, entry in enumerate(data):
        code = entry.get("code")
        if not isinstance(code, str) or not code or code in roles:
            problems.append(Problem(pointer=f"/{place}/code", code="bad_name"))
        roles[str(code)] = _permissions(entry.get("permissions"), place, problems)
    if problems:
        raise NotValid(problems)
    return roles


def _permissions(names: object, role: int, problems: list[Problem]) -> frozenset[str]:
    if not isinstance(names, list):
        problems.append(Problem(pointer=f"/{role}/permissions", code="not_a_list"))
        return frozenset()
    problems += [
        Problem(pointer=f"/{role}/permissions/{place}", code="unknown_permission", params={"name": str(name)[:64]})
        for place, name in enumerate(names)
        if name not in PERMISSIONS
    ]
    return frozenset(str(name) for name in names)


def permissions_of_scopes(scopes: Collection[str]) -> frozenset[str]:
    """Give what a key with these scopes may do: the scopes themselves, and the permissions that they stand for.

    Args:
        scopes: keys of `SCOPES`; one that there no longer is gives nothing but its name.
    """
    return OF_EACH_KEY.union(scopes, *(SCOPES.get(scope, frozenset()) for scope in scopes))


def permissions_of(roles: Sequence[str], by_role: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Collect the permissions of some roles; a role that the pack no longer has gives none."""
    return frozenset().union(*(by_role.get(role, frozenset()) for role in roles))
