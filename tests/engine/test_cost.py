"""The cost of a step does not grow with the past of its run."""

from __future__ import annotations

import gc
import time

from nrm.engine import runtime
from nrm.engine.effects import OpenTask
from tests.engine.diagrams import NOW, box, chain, compiled, end, flow, start, task

LONG = [f"t{number}" for number in range(150)]


def cost(spec, state: str, token: str) -> float:
    """Give the processor time of one completion in seconds: the best of several, for a loaded machine adds, never takes."""
    best = 1.0
    for _ in range(60):
        before = time.process_time()
        for _ in range(5):
            runtime.complete_step(spec, state, token=token, values={}, now=NOW)
        best = min(best, (time.process_time() - before) / 5)
    return best


def advance_to(spec, count: int) -> tuple[str, str]:
    """Complete tasks until so many are done; give the state and the open token."""
    advance = runtime.start_run(spec, values={}, now=NOW)
    for _ in range(count):
        advance = runtime.complete_step(spec, advance.state, token=opened(advance), values={}, now=NOW)
    return advance.state, opened(advance)


def opened(advance) -> str:
    """Give the token of the task that an advance opened."""
    (token,) = [effect.token for effect in advance.effects if isinstance(effect, OpenTask)]
    return token


def compare(spec) -> float:
    """Give the cost of the 101st completion against the first; measured in turns."""
    early, late = advance_to(spec, 0), advance_to(spec, 100)
    gc.disable()
    try:
        pairs = [(cost(spec, *early), cost(spec, *late)) for _ in range(3)]
    finally:
        gc.enable()
    return min(late for _, late in pairs) / min(early for early, _ in pairs)


def test_the_hundred_and_first_step_of_a_long_path_costs_what_the_first_did():
    spec = compiled(start() + "".join(task(name) for name in LONG) + end() + chain("start", *LONG, "end"))
    assert compare(spec) <= 1.3


def test_the_hundred_and_first_round_of_a_loop_costs_what_the_first_did():
    spec = compiled(
        start() + box("exclusiveGateway", "merge") + task("visit") + box("exclusiveGateway", "g", default="g_merge") + end()
        + chain("start", "merge", "visit", "g") + flow("g", "end", "stop") + flow("g", "merge")
    )  # fmt: skip
    assert compare(spec) <= 1.3
