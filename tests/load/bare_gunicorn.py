"""How gunicorn runs the bare endpoint: the product's own settings, but for what it does after a fork."""

from __future__ import annotations

from typing import Any

from api import gunicorn_conf as _product

for _name in dir(_product):
    if not _name.startswith("_") and _name.islower():
        globals()[_name] = getattr(_product, _name)


def post_fork(server: Any, worker: Any) -> None:
    """Let each process open connections of its own."""
    del server, worker
    from tests.load.bare_app import engine

    engine.dispose(close=False)
