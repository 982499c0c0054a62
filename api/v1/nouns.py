"""All nouns of the API, in the order of the documentation."""

from __future__ import annotations

from typing import Final

from api.transport.endpoint import Noun
from api.v1 import demonstration, health, sessions, tasks

NOUNS: Final[tuple[Noun, ...]] = (
    sessions.session,
    tasks.tasks,
    demonstration.demonstration,
    health.health,
)
