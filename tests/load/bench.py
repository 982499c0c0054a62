"""`python -m tests.load.bench`: measure the product beside bare libraries, print a table, write build/bench.json.

Every goal is a ratio within one run: both sides take turns, five rounds each, and the median of the five ratios is
judged. What the machine can do, and what else runs on it, cancels out; absolute figures are worth little.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.load import claiming, inboxes, pages, posting, requests, steps, waits
from tests.load.rounds import Measure
from tests.load.sizes import FULL, QUICK, Sizes
from tests.load.stages import Stages, stages
from tests.load.tables import markdown, print_parts, print_table

Taken = Callable[[Stages, Sizes], list[Measure]]

MEASURES: Mapping[str, tuple[Taken, ...]] = {
    "a": (requests.completing,),
    "b": (steps.beside_bare,),
    "c": (steps.with_a_past, steps.in_a_full_table),
    "d": (inboxes.pages,),
    "e": (claiming.claiming, claiming.draining),
    "f": (requests.memory,),
    "g": (posting.posting,),
    "h": (pages.reading,),
    "i": (waits.reading,),
}
"""Letter → its measures."""

RESULT = Path("build/bench.json")


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for.

    Returns:
        0 when every goal that was judged is met, else 1.
    """
    options = _options(arguments)
    sizes = QUICK if options.quick else FULL
    kinds = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    found: list[Measure] = []
    with tempfile.TemporaryDirectory(prefix="nrm-bench-") as folder:
        for kind in kinds:
            with stages(kind, Path(folder) / kind) as opened:
                for letter in options.only:
                    for take in MEASURES[letter]:
                        found += _taken(take, opened, sizes)
                        # What was measured so far is kept when somebody stops the rest.
                        _write(found)
    print_table(found)
    print_parts(found)
    if options.markdown:
        print(markdown(found))
    return 1 if any(measure.ok is False for measure in found) else 0


def _write(found: list[Measure]) -> None:
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([measure.as_json() for measure in found], indent=1, ensure_ascii=False) + "\n")


def _taken(take: Taken, opened: Stages, sizes: Sizes) -> list[Measure]:
    started = time.perf_counter()
    print(
        f"{opened.kind}: {take.__module__.rpartition('.')[2]}.{take.__name__} …", end=" ", file=sys.stderr, flush=True
    )
    found = take(opened, sizes)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default=",".join(MEASURES), help="letters of measures, e.g. b,c (all)")
    parser.add_argument("--quick", action="store_true", help="small sizes, no verdict: does everything run?")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/performance.md too")
    options = parser.parse_args(arguments)
    options.only = [letter.strip() for letter in options.only.split(",") if letter.strip()]
    unknown = [letter for letter in options.only if letter not in MEASURES]
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
