"""The runner as a process of its own, on an installation whose clock the crash test moves."""

from __future__ import annotations

import logging
import signal
import sys
from datetime import timedelta
from pathlib import Path

from nrm.clock import MovableClock
from nrm.worker.loop import Runner
from tests.installations import installed


def main(url: str, data_dir: str, lease_seconds: str) -> None:
    """Run until a signal asks to stop."""
    logging.basicConfig(level="WARNING")
    with installed(url, Path(data_dir), clock=MovableClock(Path(data_dir) / "demo-clock")) as opened:
        runner = Runner(
            opened.app.app_context, poll_seconds=0.5, lease=timedelta(seconds=float(lease_seconds)), threads=2
        )
        signal.signal(signal.SIGTERM, lambda number, frame: runner.stop())
        print("ready", flush=True)
        runner.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
