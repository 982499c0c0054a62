"""`nrm serve`, `nrm worker`, `nrm demo`: the programs that stay."""

from __future__ import annotations

import os

import click

from api import serving
from api.cli.starting import example
from api.demo.running import main as run_demo
from nrm.config import read_config


@click.command()
@example("PORT=9000 nrm serve")
def serve() -> int:
    """Run the web service and one runner together; Ctrl-C stops both. PORT says where (8000)."""
    try:
        return serving.serve(os.environ)
    except serving.CannotServe as error:
        raise click.UsageError(str(error)) from error


@click.command()
@example("nrm worker")
def worker() -> None:
    """Run a runner alone: timers, reminders, deliveries, imports."""
    serving.run_runner(read_config(os.environ))


@click.command()
@example("NRM_DATA_DIR=/tmp/nrm-demo PORT=9000 nrm demo")
def demo() -> int:
    """Make invented people and cases, and serve them with a movable clock; what `make run` does."""
    return run_demo(os.environ)
