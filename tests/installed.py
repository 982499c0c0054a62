"""A program without doors on a database: what a test of actions, jobs and the runner needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from nrm.clock import Clock, FixedClock
from nrm.config import Config
from nrm.db import db, engine_options, prepare_engine
from nrm.installation import install

MORNING = datetime(2031, 5, 4, 8, 0, tzinfo=UTC)
"""A Sunday morning, on which offices in testland are open."""


@contextmanager
def installed(url: str, data_dir: Path, *, clock: Clock | None = None, pool_size: int = 5) -> Iterator[Flask]:
    """Install the program on a migrated database and give its application, outside of any context."""
    config = Config(
        database_url=url, data_dir=data_dir, secret="a secret for tests, long enough to be one", country="testland"
    )
    install(config, clock or FixedClock(MORNING))
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, pool_size=pool_size)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
