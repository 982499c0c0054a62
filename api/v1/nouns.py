"""All nouns of the API, in the order of the documentation."""

from __future__ import annotations

from typing import Final

from api.transport.endpoint import Noun
from api.v1 import (
    cases,
    consents,
    demonstration,
    directory,
    documents,
    events,
    fhir,
    health,
    hsds,
    incidents,
    keys,
    letters,
    manifests,
    notifications,
    oauth,
    paths,
    people,
    plans,
    printing,
    referrals,
    runs,
    sandbox,
    sessions,
    tasks,
    webhooks,
)

NOUNS: Final[tuple[Noun, ...]] = (
    sessions.session,
    tasks.tasks,
    printing.printing,
    people.people,
    cases.cases,
    plans.plans,
    consents.consents,
    runs.runs,
    referrals.referrals,
    letters.letters,
    documents.documents,
    paths.paths,
    incidents.incidents,
    directory.directory,
    hsds.hsds,
    fhir.fhir,
    manifests.manifests,
    events.events,
    webhooks.webhooks,
    notifications.notifications,
    keys.keys,
    oauth.oauth,
    sandbox.sandbox,
    demonstration.demonstration,
    health.health,
)
