"""How much is measured: enough to decide, or only enough to see that every measure runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of one run.

    Attributes:
        decide: whether goals are judged.
        rounds: rounds of each side.
        cases: cases walked through the path in one round, ten steps each.
        past_of_case: steps that the old case has behind it.
        past_of_run: steps that the old run has behind it.
        many: tasks and jobs in the full tables.
        few: tasks and jobs in the nearly empty ones.
        claims: claims in one round.
        pages: inbox pages in one round.
        timers: due timers per round that each open a task.
        due: due jobs per round with little to do.
        requests: HTTP requests in one round.
        posts: events delivered to a receiver in one round.
        beside: due jobs that a runner drains while pages are read.
        growth: HTTP requests over which memory is watched, after a fifth of them.
    """

    decide: bool = True
    rounds: int = 5
    cases: int = 10
    past_of_case: int = 500
    past_of_run: int = 100
    many: int = 1_000_000
    few: int = 1_000
    claims: int = 200
    pages: int = 100
    timers: int = 200
    due: int = 20_000
    requests: int = 1_000
    posts: int = 500
    beside: int = 60_000
    growth: int = 10_000


FULL = Sizes()

QUICK = Sizes(
    decide=False,
    rounds=2,
    cases=1,
    past_of_case=20,
    past_of_run=20,
    many=10_000,
    claims=10,
    pages=5,
    timers=10,
    due=100,
    requests=40,
    posts=30,
    beside=2_000,
    growth=100,
)
