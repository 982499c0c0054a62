"""Bring an empty database to a full demonstration: tables, country pack, people, cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from nrm.actions.seeding import load_pack
from nrm.actors import SYSTEM
from nrm.config import Config
from nrm.countries import read_pack
from nrm.db import db
from nrm.demo.making import Made, make_demo
from nrm.demo.stories import Demo, read_demo
from nrm.engine import confined
from nrm.migrations import run

Progress = Callable[[str], None]


def prepare(config: Config, *, progress: Progress = lambda line: None) -> tuple[Demo, Made]:
    """Make whatever is still missing of a demonstration; needs an application context.

    Args:
        config: the installation's settings.
        progress: called with a line for each part.

    Raises:
        BadPack: the pack has mistakes.
        BadStory: its demonstration has.
        NotForDemo: the database holds real work.
    """
    with _hurry():
        progress("tables")
        run.upgrade(db.engine)
        progress("country pack")
        load_pack(SYSTEM, read_pack(config.pack_dir))
        # The process in which diagrams were checked is not needed any more.
        confined.close()
        demo = read_demo(config.pack_dir)
        return demo, make_demo(demo, progress=progress)


@contextmanager
def _hurry() -> Iterator[None]:
    """Let the embedded database not wait for the disk after each of some thousand small commits.

    A power cut in these seconds may cost the demonstration's invented data, and nothing else.
    """
    engine = db.engine
    if engine.dialect.name != "sqlite":
        yield
        return
    engine.dispose()
    event.listen(engine, "connect", _do_not_wait)
    try:
        yield
    finally:
        event.remove(engine, "connect", _do_not_wait)
        db.session.remove()
        engine.dispose()


def _do_not_wait(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    del record
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
