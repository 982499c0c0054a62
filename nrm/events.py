"""Facts and their chain: how an event is hashed, and the list of all kinds of events.

The hash of an event is SHA-256 over the canonical JSON (sorted keys) of its fields and the hash before it; whoever
changes, removes or reorders a row of a stream breaks the chain (`nrm verify` shows the first broken row).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

import orjson

Data: TypeAlias = Mapping[str, "str | int | bool | list[str] | None"]

KINDS: Final[Mapping[str, str]] = {
    "person.registered": "a person was registered",
    "person.changed": "data of a person were changed",
    "person.merged": "two entries of one person were joined",
    "person.unmerged": "two joined entries were taken apart again",
    "person.matched": "a possible duplicate was decided",
    "case.opened": "a case was opened",
    "case.stage_entered": "the case moved to a stage",
    "case.priority_set": "the case's priority was set",
    "case.level_set": "the case's confidentiality level was set",
    "case.changed": "data of the case were changed",
    "case.access_given": "somebody may know of the case now",
    "case.access_ended": "somebody may no longer know of the case",
    "case.transferred": "the case moved to another desk",
    "case.note_added": "a note was added",
    "case.closed": "the case was closed",
    "case.reopened": "the case was opened again",
    "consent.given": "consent was recorded",
    "consent.withdrawn": "consent was withdrawn",
    "consent.overridden": "a disclosure without consent was approved",
    "consent.override_asked": "a disclosure without consent was asked for",
    "consent.override_refused": "a disclosure without consent was refused",
    "disclosure.made": "personal data were disclosed",
    "disclosure.restricted": "a receiver may no longer use what it got",
    "disclosure.unconfirmed": "a receiver has not confirmed in time that it uses it no more",
    "disclosure.restriction_confirmed": "a receiver confirmed that it uses it no more",
    "need.recorded": "a need was recorded",
    "need.changed": "a need changed",
    "need.unmet": "a need could not be met",
    "plan.recorded": "a reintegration plan was recorded",
    "plan.approved": "a reintegration plan was approved",
    "plan.service_added": "a service was added to a plan",
    "run.started": "a path was started",
    "run.finished": "a path ended",
    "run.cancelled": "a path was cancelled",
    "run.failed": "a path ended with an error",
    "run.repaired": "a decision value of a run was changed",
    "run.moved": "a run goes on in another version of its path",
    "run.moved_back": "a run went back to the version of its path that it had left",
    "task.opened": "a task was opened",
    "task.claimed": "a task was taken",
    "task.released": "a task was put back",
    "task.handed_over": "a task was handed over",
    "task.assigned": "a task was assigned",
    "task.held": "a task was put on hold",
    "task.resumed": "a task came back from hold",
    "task.commented": "a comment was added to a task",
    "task.completed": "a task was completed",
    "task.undone": "a completed task was undone",
    "task.cancelled": "a task is no longer needed",
    "task.reminded": "the desk was reminded of a task",
    "task.escalated": "a late task was escalated",
    "referral.drafted": "a referral was prepared",
    "referral.changed": "the draft of a referral was changed",
    "referral.blocked": "the consent gate stopped a referral",
    "referral.sent": "a referral was sent",
    "referral.acknowledged": "the receiver has the referral",
    "referral.info_requested": "the receiver asked for information",
    "referral.answered": "the sender answered",
    "referral.waitlisted": "the receiver put the returnee on a waiting list",
    "referral.accepted": "the receiver will serve",
    "referral.declined": "the receiver declined",
    "referral.redirected": "the receiver named another organisation",
    "referral.scheduled": "an appointment was made",
    "referral.appointment_told": "the returnee was told of an appointment by a text message",
    "referral.no_show": "the returnee did not come",
    "referral.started": "the service has begun",
    "referral.progressed": "progress was noted",
    "referral.held": "the referral is on hold",
    "referral.resumed": "the referral goes on",
    "referral.completed": "the service was given",
    "referral.not_completed": "the service could not be given",
    "referral.cancelled": "the sender cancelled",
    "referral.cancellation_requested": "the sender asks to cancel",
    "referral.withdrawn": "the returnee no longer wants it, or consent ended",
    "referral.expired": "nobody answered in time",
    "referral.error_reported": "somebody says that the referral was a mistake; a second person decides",
    "referral.entered_in_error": "the referral was a mistake",
    "referral.reassigned": "the referral went to another desk or person of the receiver",
    "referral.due_soon": "an answer is due soon",
    "referral.overdue": "an answer is late",
    "referral.confirmed": "the returnee confirmed the result",
    "referral.disputed": "the returnee's word differs from the receiver's",
    "referral.called": "the receiver was called on the telephone",
    "referral.closed": "the loop of the referral is closed",
    "message.created": "a note was exchanged on a referral",
    "link.opened": "somebody opened the mailed link to a referral",
    "letter.registered": "a letter got its outgoing number",
    "letter.printed": "a letter was printed",
    "letter.answered": "the answer to a letter was recorded",
    "letter.received": "a letter came in and got its incoming number",
    "letter.linked": "a letter that came in was added to a case",
    "complaint.received": "a complaint came in by the public door",
    "complaint.taken_up": "somebody has taken up a complaint",
    "complaint.answered": "a complaint was answered",
    "complaint.started": "the path of complaints was started for a case",
    "task.answers_repaired": "answers that a step failed over were corrected",
    "document.added": "a document was added",
    "document.entered_in_error": "a document was added by mistake",
    "service.capacity_changed": "open places of a service changed",
    "service.verified": "the provider confirmed a directory entry",
    "service.verify_asked": "the provider was asked whether a directory entry is still right",
    "service.changed": "a directory entry changed",
    "incident.opened": "something failed and waits for help",
    "incident.resolved": "an incident was resolved",
    "incident.cancelled": "an incident was given up",
    "path.published": "a path version was published",
    "path.drafted": "a path version was drafted",
    "path.submitted": "a draft of a path was given to a second person",
    "path.sent_back": "a draft of a path was sent back",
    "path.retired": "a path version was retired",
    "path.draft_begun": "a draft of a path was begun",
    "path.draft_changed": "a draft of a path was changed",
    "path.draft_discarded": "a draft of a path was given up",
    "migration.planned": "a plan to move running cases to another version of a path was made",
    "migration.changed": "a plan to move running cases was changed",
    "migration.approved": "a second person approved that running cases are moved",
    "migration.paused": "the moving of running cases was paused",
    "migration.resumed": "the moving of running cases went on",
    "migration.stopped": "the moving of running cases was stopped: the version that they go to was retired",
    "migration.ended": "all running cases of a plan were moved, or taken back",
    "migration.taken_back": "it was asked to take moved cases back",
    "migration.discarded": "a plan to move running cases was thrown away",
    "pack.changed": "a code list, holiday, setting, label or table of the country was changed",
    "directory.changed": "an organisation, desk, service or agreement was changed",
    "pack.loaded": "the country pack was loaded",
    "user.added": "a user was added",
    "user.changed": "a user was changed",
    "user.disabled": "a user was disabled",
    "user.signed_in": "a user signed in",
    "user.proved": "a user typed a code of the second factor once more",
    "user.signed_out": "a user signed out",
    "membership.given": "a user got a role",
    "membership.ended": "a user lost a role",
    "membership.asked": "a role for the whole country was asked for",
    "membership.refused": "a role for the whole country was refused",
    "key.issued": "a key was issued",
    "key.revoked": "a key was revoked",
    "manifest.imported": "an arrival list was imported",
    "endpoint.added": "an address for webhooks was added",
    "endpoint.changed": "an address for webhooks was changed, or its secret",
    "endpoint.disabled": "nothing is sent any more to an address for webhooks",
    "endpoint.enabled": "webhooks are sent again to an address",
    "endpoint.removed": "an address for webhooks was removed",
    "webhook.test": "a test was sent to an address for webhooks",
    "record.read": "sensitive data were read",
}
"""Every kind of event, with the fact that it states."""


def chain_hash(
    previous: str,
    *,
    stream: str,
    seq: int,
    at: datetime,
    kind: str,
    actor: str,
    subject: tuple[str, str],
    data: Data,
) -> str:
    """Hash one event together with the one before it.

    Args:
        previous: hash of the event before it in the stream, "" for the first.
        stream: the stream's id.
        seq: its number in the stream, from 1.
        at: when it happened; microseconds count.
        kind: one of `KINDS`.
        actor: id of who acted.
        subject: kind and id of what it happened to.
        data: ids and codes.
    """
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
    body = orjson.dumps(
        [previous, stream, seq, stamp, kind, actor, subject[0], subject[1], dict(data)],
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(body).hexdigest()
