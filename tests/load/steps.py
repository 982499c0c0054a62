"""Completing a step: beside bare SpiffWorkflow, with a long past, and in a full table."""

from __future__ import annotations

import time
from collections.abc import Callable

from nrm.actions import runs
from nrm.actors import SYSTEM
from tests.load import diagrams, floors, parts
from tests.load.days import Day, day_on
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.sizes import Sizes
from tests.load.stages import Stage, Stages


def beside_bare(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (b): steps per second in process, one durable commit each, beside bare SpiffWorkflow."""
    stage = stages.original()
    kept = floors.shelf(stages.kind, stages.folder)
    with stage.app.app_context():
        day = day_on(stage)
        ours = _new_cases(day, sizes.cases)
        bare = floors.BareSpiff(diagrams.DIAGRAMS[diagrams.PATH], diagrams.PATH, kept)
        rates = alternate(_per_second(ours), _bare_round(bare, sizes.cases), rounds=sizes.rounds)
        with parts.parted() as clocks:
            ours()
    size = bare.size(1)
    kept.close()
    found = compare(
        "b completing a step in process / bare SpiffWorkflow",
        *rates,
        unit="steps/s",
        database=stages.kind,
        at_least=0.35,
        decide=sizes.decide,
        note=f"goal for good ≥ 0.5; the bare state is {size} bytes of JSON",
        parts=parts.milliseconds(clocks, sizes.cases * diagrams.STEPS),
    )
    return [found]


def with_a_past(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (c), the first two: a case with many past steps, and a run with many past steps."""
    stage = stages.original()
    with stage.app.app_context():
        day = day_on(stage)
        case = _case_with_past(day, sizes.past_of_case)
        in_case = alternate(_more_of_case(day, case, sizes.cases), _new_cases(day, sizes.cases), rounds=sizes.rounds)
        run = _run_with_past(day, sizes.past_of_run)
        in_run = alternate(_more_of_run(run, sizes.cases), _new_cases(day, sizes.cases), rounds=sizes.rounds)
    return [
        compare(
            f"c a completion in a case with {sizes.past_of_case} past steps / in a new case",
            *in_case,
            unit="ms",
            database=stages.kind,
            at_most=1.2,
            decide=sizes.decide,
        ),
        compare(
            f"c a completion in a run with {sizes.past_of_run} past steps / in a new run",
            *in_run,
            unit="ms",
            database=stages.kind,
            at_most=1.5,
            decide=sizes.decide,
        ),
    ]


def in_a_full_table(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (c), the third: with many tasks and jobs in the tables, and with few."""
    full, empty = stages.filled("large", sizes), stages.filled("small", sizes)
    found = alternate(_at(full, sizes.cases), _at(empty, sizes.cases), rounds=sizes.rounds)
    return [
        compare(
            f"c a completion among {sizes.many:,} tasks / among {sizes.few:,}",
            *found,
            unit="ms",
            database=stages.kind,
            at_most=1.2,
            decide=sizes.decide,
        )
    ]


def _at(stage: Stage, cases: int) -> Round:
    with stage.app.app_context():
        day = day_on(stage)

    def one_round() -> float:
        with stage.app.app_context():
            return _new_cases(day, cases)()

    return one_round


def _new_cases(day: Day, cases: int) -> Round:
    """Walk new cases through the whole path: milliseconds per step."""

    def one_round() -> float:
        spent = 0.0
        for _ in range(cases):
            spent += day.walk(day.open_task(day.open_case()), diagrams.STEPS)[1]
        return 1000 * spent / (cases * diagrams.STEPS)

    return one_round


def _per_second(milliseconds: Round) -> Round:
    return lambda: 1000 / milliseconds()


def _bare_round(bare: floors.BareSpiff, cases: int) -> Round:
    given = diagrams.answers()

    def one_round() -> float:
        spent = 0.0
        for _ in range(cases):
            number = bare.start()
            started = time.perf_counter()
            for _ in range(diagrams.STEPS):
                bare.complete(number, given)
            spent += time.perf_counter() - started
        return cases * diagrams.STEPS / spent

    return one_round


def _case_with_past(day: Day, steps: int) -> str:
    case = day.open_case()
    day.walk(day.open_task(case), diagrams.STEPS)
    walk = _more_of_case(day, case, max(1, steps // diagrams.STEPS - 1))
    walk()
    return case


def _more_of_case(day: Day, case: str, count: int) -> Round:
    """Start further runs in the same case and walk each to its end: milliseconds per step."""

    def one_round() -> float:
        spent = 0.0
        for _ in range(count):
            runs.start_run(SYSTEM, case, diagrams.PATH)
            spent += day.walk(day.open_task(case), diagrams.STEPS)[1]
        return 1000 * spent / (count * diagrams.STEPS)

    return one_round


def _run_with_past(day: Day, steps: int) -> Callable[[int], float]:
    """Walk one run round and round; gives a function that walks it on and tells the seconds."""
    task = day.open_task(day.open_case())

    def on(rounds: int) -> float:
        nonlocal task
        following, spent = day.walk(task, rounds * diagrams.STEPS, again=True)
        task = following or ""
        return spent

    on(max(1, steps // diagrams.STEPS))
    return on


def _more_of_run(on: Callable[[int], float], rounds: int) -> Round:
    return lambda: 1000 * on(rounds) / (rounds * diagrams.STEPS)
