"""Collects what partners' programs ask, and stores it in batches after answers have left."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from flask import Flask, Response, g, request

from api import logs
from nrm.actions.request_log import Asked, keep_requests
from nrm.actors import SYSTEM, Actor, ActorKind
from nrm.installation import installation

SECONDS: Final = 10.0
"""How long a request waits to be stored, as long as anything is asked."""

MOST: Final = 200
"""How many wait before they are stored at once."""

_MOST_KEPT: Final = 5_000
"""How many wait when they cannot be stored; older ones are given up."""


class RequestLog:
    """The requests that this process has not stored yet."""

    def __init__(self, app: Flask) -> None:
        """Begin with none."""
        self._app = app
        self._waiting: deque[Asked] = deque(maxlen=_MOST_KEPT)
        self._since = 0.0
        self._lock = threading.Lock()

    @property
    def waits(self) -> bool:
        """Say whether some request is not stored yet."""
        return bool(self._waiting)

    def note(self, answer: Response, actor: Actor | None) -> None:
        """Take note of a request of a program, once it is answered.

        Args:
            answer: the answer.
            actor: who asked; only programs are noted.
        """
        if actor is None or actor.kind is not ActorKind.KEY:
            return
        rule = request.url_rule
        if rule is None:
            return
        asked = Asked(
            organisation_id=actor.organisations[0],
            key_id=actor.id,
            livemode=actor.livemode,
            at=installation().clock.now(),
            method=request.method,
            route=rule.rule[:120],
            status=answer.status_code,
            code=g.get("problem"),
            request_id=str(g.get("request_id", "")),
        )
        with self._lock:
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting.append(asked)

    def flush_when_due(self) -> None:
        """Store what waits when it is long enough ago, or enough."""
        if self._waiting and (len(self._waiting) >= MOST or time.monotonic() - self._since >= SECONDS):
            self.flush()

    def flush(self) -> None:
        """Store what waits; when that fails it waits on, and no request suffers."""
        with self._lock:
            taken = tuple(self._waiting)
            self._waiting.clear()
        if not taken:
            return
        try:
            with self._app.app_context():
                keep_requests(SYSTEM, taken)
        except Exception as error:
            # Whatever it is, the answer has left already.
            logs.log().error("request_log", error=type(error).__name__, where=logs.where(error))
            with self._lock:
                self._since = time.monotonic()
                self._waiting.extendleft(reversed(taken))
