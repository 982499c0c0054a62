"""What the web process writes down: one line of JSON per request, made of a short list of fields.

No bodies, no query strings, no names: what is not in `FIELDS` does not reach the log.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog

FIELDS: Final = frozenset(
    {"event", "level", "timestamp", "request_id", "method", "route", "status", "ms", "actor", "code", "error", "where"}
)


def _only_known(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    del logger, name
    return {key: value for key, value in event.items() if key in FIELDS}


def _render(logger: object, name: str, event: MutableMapping[str, Any]) -> bytes:
    del logger, name
    return orjson.dumps(dict(event), default=str)


def configure(level: str) -> None:
    """Set the log up for this process.

    Args:
        level: debug, info, warning or error.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )


def log() -> structlog.typing.FilteringBoundLogger:
    """Give the logger."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def where(error: BaseException) -> list[str]:
    """Say where an error came from: files and lines, never its words (they may hold what somebody typed)."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
