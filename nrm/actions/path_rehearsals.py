"""What came of the scenarios of drafts, kept by content: a review that is opened again does not play them again.

Kept per process and never stored, so that another engine never answers for this one. Whatever decides about a draft
plays anew.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from typing import Final

import orjson

from nrm.engine.confined import GAVE_UP
from nrm.engine.rehearsals import Rehearsal

KEPT: Final = 64
"""Rehearsals that one process keeps; one of a large path takes some tens of kilobytes."""


class _Kept:
    """The last rehearsals, by content."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.lock = threading.Lock()
        self.found: OrderedDict[str, Rehearsal] = OrderedDict()


_kept: Final = _Kept()
os.register_at_fork(after_in_child=_kept.forget)


def mark_of(content: object) -> str:
    """Give a mark that is the same only for the same content.

    Args:
        content: all that a rehearsal depends on, as JSON.
    """
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=list)).hexdigest()


def kept(mark: str) -> Rehearsal | None:
    """Give the rehearsal of a content; None where it was not played lately."""
    with _kept.lock:
        found = _kept.found.get(mark)
        if found is not None:
            _kept.found.move_to_end(mark)
        return found


def keep(mark: str, rehearsal: Rehearsal) -> None:
    """Keep a rehearsal, unless it tells of the machine and not of the draft."""
    if any(finding.code in GAVE_UP for finding in rehearsal.findings):
        return
    with _kept.lock:
        _kept.found[mark] = rehearsal
        _kept.found.move_to_end(mark)
        while len(_kept.found) > KEPT:
            _kept.found.popitem(last=False)


def forget() -> None:
    """Drop everything, as in tests."""
    _kept.forget()
