"""How often somebody may ask: what is allowed, what is left of it, and how an answer says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from flask import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A limit: a bucket of `burst` requests that fills again by `rate` requests a second.

    Attributes:
        name: its name in the headers.
        rate: requests a second that may go on for ever, > 0.
        burst: requests that may come at once after a rest, ≥ 1.
    """

    name: str
    rate: float
    burst: int

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket is full again, ≥ 1."""
        return max(1, math.ceil(self.burst / self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of taking one request out of a bucket.

    Attributes:
        policy: the limit.
        allowed: the request may be answered.
        left: requests that are left at once.
        full_after: seconds until the bucket is full.
        retry_after: whole seconds after which a refused request may come again, ≥ 1.
    """

    policy: Policy
    allowed: bool
    left: int
    full_after: float
    retry_after: int


class Limits(Protocol):
    """Counts requests."""

    def take(self, who: str, kind: str) -> Taken:
        """Take one request of somebody out of the bucket of a kind.

        Args:
            who: id of the credential, or an address.
            kind: name of the policy.
        """
        ...


def announce(answer: Response, taken: Taken) -> None:
    """Say in an answer's headers what is left (draft-ietf-httpapi-ratelimit-headers-10).

    Args:
        answer: the answer.
        taken: what came of its request.
    """
    policy = taken.policy
    answer.headers["RateLimit-Policy"] = f'"{policy.name}";q={policy.burst};w={policy.window}'
    answer.headers["RateLimit"] = f'"{policy.name}";r={taken.left};t={math.ceil(taken.full_after)}'
