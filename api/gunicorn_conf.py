"""How gunicorn runs the web process: threads, limits, and a log without query strings."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

bind = os.environ.get("NRM_BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")
worker_class = "gthread"
workers = int(os.environ.get("NRM_WEB_PROCESSES", "2"))
threads = int(os.environ.get("NRM_WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = int(os.environ.get("NRM_WEB_MAX_REQUESTS", "5000"))
max_requests_jitter = 500
preload_app = True
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only a heartbeat file
limit_request_fields = 60
limit_request_line = 4094
forwarded_allow_ips = os.environ.get("NRM_PROXY_ADDRESSES", "127.0.0.1")
accesslog = "-" if os.environ.get("NRM_ACCESS_LOG") == "1" else None
access_log_format = '%(t)s %(m)s %(U)s %(s)s %(B)s %(M)sms "%({x-request-id}o)s"'


class AccessLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The access log without what mailed links hold: their address is a secret until somebody opens them."""

    def atoms(self, *about: Any) -> dict[str, Any]:  # noqa: ANN401 - gunicorn's own objects
        """Give the pieces of a line."""
        pieces: dict[str, Any] = super().atoms(*about)
        pieces["U"] = re.sub(r"^(/answer)/[^/]+", r"\1/-", str(pieces["U"]))
        return pieces


logger_class = AccessLog
loglevel = os.environ.get("NRM_GUNICORN_LOG_LEVEL", "warning")


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's own objects
    """Store what the process still holds of partners' requests."""
    del server, worker
    from api.wsgi import app  # noqa: PLC0415 - loaded by gunicorn before the fork

    app.extensions["nrm.request_log"].flush()


_GIVE_BACK_EVERY = 500
"""Requests of a process after which memory that it has freed goes back to the system."""

# glibc gives each thread a heap of its own and keeps what is freed between blocks that stay: a process would grow for
# tens of thousands of requests although what it uses stays the same. One heap is enough for threads that take turns.
_M_ARENA_MAX = -8
_libc = ctypes.CDLL(None)
if hasattr(_libc, "mallopt"):
    _libc.mallopt(_M_ARENA_MAX, 1)
_give_back = getattr(_libc, "malloc_trim", None)


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:  # noqa: ANN401 - gunicorn's own objects
    """Give freed memory back from time to time, where the C library can."""
    del req, environ, resp
    if _give_back is not None and worker.nr % _GIVE_BACK_EVERY == 0:
        _give_back(0)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's own objects
    """Let each process open connections of its own; those of the parent stay the parent's."""
    del server, worker
    from api.wsgi import app  # noqa: PLC0415 - loaded by gunicorn before the fork
    from nrm.db import db  # noqa: PLC0415

    with app.app_context():
        db.engine.dispose(close=False)
