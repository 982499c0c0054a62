"""An installation for tests: tables, testland loaded, a clock that stands, and a session scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from nrm.actions.seeding import load_pack
from nrm.actors import SYSTEM
from nrm.clock import Clock, FixedClock
from nrm.config import Config
from nrm.countries import read_pack
from nrm.db import db, engine_options, prepare_engine
from nrm.installation import install
from nrm.migrations import run
from nrm.queries import health, packs, paths

ROOT = Path(__file__).parent.parent
TESTLAND = ROOT / "workflows" / "testland"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
"""A Sunday, 11 o'clock in the offices of testland."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A running installation.

    Attributes:
        app: for `with installed.app.app_context():` in another thread.
        clock: stands at `START` until a test moves it.
        config: its settings.
    """

    app: Flask
    clock: FixedClock
    config: Config


@contextmanager
def installed(url: str, data_dir: Path, clock: Clock | None = None) -> Iterator[Installed]:
    """Open an installation on a database for the length of a block.

    Args:
        url: SQLAlchemy URL of a database that has the tables.
        data_dir: folder for files.
        clock: another clock than one that stands at `START`.
    """
    config = Config(
        database_url=url,
        data_dir=data_dir,
        secret="only for tests: " + "0123456789abcdef" * 2,
        country="testland",
        packs_dir=ROOT / "workflows",
        demo=True,
        pool_size=5,
        password_memory_kib=8,
        password_rounds=1,
    )
    clock = clock or FixedClock(START)
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, pool_size=5)
    db.init_app(app)
    install(config, clock)
    forget()
    with app.app_context():
        prepare_engine(db.engine)
        try:
            yield Installed(app=app, clock=clock, config=config)
        finally:
            db.session.remove()
            db.engine.dispose()
            forget()


def forget() -> None:
    """Drop what this process holds of the database before."""
    packs.forget()
    paths.forget()
    health.forget()


def fill_with_testland(url: str, data_dir: Path) -> None:
    """Make the tables in an empty database and load testland."""
    run.upgrade(url)
    with installed(url, data_dir):
        load_pack(SYSTEM, read_pack(TESTLAND))
