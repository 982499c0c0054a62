"""Check a diagram in a process that can be killed, because a hostile one may hang or eat a parser.

The child is a fresh interpreter with an empty environment: no database handle, no socket, no secret crosses. One warm
child waits for the next diagram, since starting one costs some tenths of a second; a child that was late or fell over
is killed and never used again. It works from any thread and after a fork (gunicorn forks its workers): a forked
process starts children of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from nrm.engine.checker import READY
from nrm.engine.finding_files import (
    finding_from_json,
    imported_from_json,
    known_to_json,
    resources_to_json,
    verdict_from_json,
)
from nrm.engine.findings import Finding
from nrm.engine.importing import Imported
from nrm.engine.lint import Known
from nrm.engine.soundness import Answer, Verdict
from nrm.engine.steps import Resources
from nrm.errors import BadPath, Busy

SECONDS: Final = 5.0
MEGABYTES: Final = 512
START_SECONDS: Final = 30.0
AT_ONCE: Final = 2
"""Most children of one process that work at the same moment."""
PATIENCE: Final = 15.0
"""Seconds that one waits for a child before one is told to come again."""
CHECKS_PER_CHILD: Final = 200
MAX_ANSWER: Final = 12_000_000
GAVE_UP: Final = frozenset({"took_too_long", "too_much_memory", "checker_crashed"})
"""Findings that tell of the check and of the machine, not surely of the diagram: the next check may say otherwise."""

_HOME: Final = str(Path(__file__).parents[2])
_CODE: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from nrm.engine.checker import main; main(int(sys.argv[2]))"
)


def check_diagram(
    xml: bytes,
    *,
    resources: Resources,
    known: Known | None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> tuple[Finding, ...]:
    """Read, compile and lint a diagram in a child process.

    Args:
        xml: the file's bytes, from anybody.
        resources: the pack's settings and tables.
        known: what the pack has; None checks only what the diagram itself can tell.
        seconds: wall time after which the child is killed.
        megabytes: address space of the child.

    Returns:
        The findings of `lint_path` and `compile_path`; or a single one: `took_too_long`, `too_much_memory` or
        `checker_crashed`.

    Raises:
        Busy: too many diagrams are being checked at this moment.
    """
    return inspect_diagram(xml, resources=resources, known=known, seconds=seconds, megabytes=megabytes).findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a check found.

    Attributes:
        key: the path's key as the diagram has it; None when the file is no BPMN diagram within the limits.
        findings: as from `check_diagram`.
    """

    key: str | None
    findings: tuple[Finding, ...]


def inspect_diagram(
    xml: bytes,
    *,
    resources: Resources,
    known: Known | None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> Inspected:
    """Check a diagram as `check_diagram` does, and say whether it could be read at all.

    Raises:
        Busy: too many diagrams are being checked at this moment.
    """
    request = {
        "do": "check",
        "resources": resources_to_json(resources),
        "known": None if known is None else known_to_json(known),
    }
    try:
        answer = ask_child(request, xml, seconds=seconds, megabytes=megabytes)
    except GaveUp as problem:
        return Inspected(key=None, findings=(problem.finding,))
    found = answer["findings"]
    findings = tuple(finding_from_json(each) for each in found) if isinstance(found, list) else ()
    key = answer.get("key")
    return Inspected(key=key if isinstance(key, str) else None, findings=findings)


def import_diagram(
    xml: bytes,
    *,
    process: str | None = None,
    key: str | None = None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> Imported:
    """Import a diagram of another tool in a child process, see `nrm.engine.importing.import_diagram`.

    Args:
        xml: the file's bytes, from anybody.
        process: id or name of the process that becomes the path; None for the executable or the largest one.
        key: what the path shall be called; None for a key made of the process's own id.
        seconds: wall time after which the child is killed.
        megabytes: address space of the child.

    Raises:
        BadPath: it cannot be loaded; the finding may be one of `GAVE_UP`.
        Busy: too many diagrams are being checked at this moment.
    """
    try:
        answer = ask_child({"do": "import", "process": process, "key": key}, xml, seconds=seconds, megabytes=megabytes)
    except GaveUp as problem:
        raise BadPath([problem.finding]) from None
    if "xml" in answer:
        return imported_from_json(answer)
    found = answer["findings"]
    raise BadPath([finding_from_json(each) for each in found] if isinstance(found, list) else [])


def judge_diagram(
    xml: bytes,
    *,
    resources: Resources,
    known: Known | None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> Verdict:
    """Judge whether a path is sound in a child process, see `nrm.engine.soundness.check_soundness`.

    Args:
        xml: the file's bytes, from anybody.
        resources: the pack's settings and tables.
        known: what the pack has; None judges what the diagram itself can tell.
        seconds: wall time after which the child is killed.
        megabytes: address space of the child.

    Raises:
        Busy: too many diagrams are being checked at this moment.
    """
    request = {
        "do": "judge",
        "resources": resources_to_json(resources),
        "known": None if known is None else known_to_json(known),
    }
    try:
        return verdict_from_json(ask_child(request, xml, seconds=seconds, megabytes=megabytes))
    except GaveUp as problem:
        return Verdict(answer=Answer.UNKNOWN, states=0, defects=(), findings=(problem.finding,))


class GaveUp(Exception):
    """A child gave no answer; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        """Keep the finding, whose code is one of `GAVE_UP`."""
        super().__init__(finding.code)
        self.finding = finding


def ask_child(
    request: Mapping[str, object], content: bytes, *, seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> Mapping[str, object]:
    """Let a child do one of the works of `nrm.engine.checker`.

    Args:
        request: a JSON object; "do" names the work.
        content: the bytes that the work is about.
        seconds: wall time after which the child is killed.
        megabytes: address space of the child.

    Raises:
        Busy: `AT_ONCE` children worked for all of `PATIENCE`.
        GaveUp: it was late, wanted too much memory, or fell over.
    """
    frames = _frame(json.dumps(request).encode()) + _frame(content)
    with _pool.place():
        child = _pool.take(megabytes)
        try:
            answer = child.ask(frames, seconds)
        except _ChildFailed as problem:
            child.end()
            raise GaveUp(_failed(problem.code, seconds, megabytes)) from None
        except BaseException:
            child.end()
            raise
        _pool.give_back(child)
    if "failed" in answer:
        raise GaveUp(_failed(str(answer["failed"]), seconds, megabytes))
    return answer


def close() -> None:
    """End the warm child, at the end of the program or of a test."""
    _pool.close()


def _failed(code: str, seconds: float, megabytes: int) -> Finding:
    if code == "took_too_long":
        return Finding(code="took_too_long", params={"seconds": round(seconds)})
    if code == "too_much_memory":
        return Finding(code="too_much_memory", params={"limit": megabytes})
    return Finding(code="checker_crashed")


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


class _ChildFailed(Exception):
    """The child gave no answer: it was late, or it is gone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Child:
    """One child process and its two pipes."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        self.asked = 0
        self.broken = False
        # -I: neither the environment nor the user's folder can add code; the package's own folder is named.
        self.process = subprocess.Popen(  # noqa: S603 - our interpreter, our arguments
            [sys.executable, "-I", "-X", "faulthandler=0", "-c", _CODE, _HOME, str(megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            close_fds=True,
            start_new_session=True,
            cwd="/",
        )
        self.into, self.out = _pipe(self.process.stdin), _pipe(self.process.stdout)
        for pipe in (self.into, self.out):
            os.set_blocking(pipe.fileno(), False)

    def ask(self, frames: bytes, seconds: float) -> Mapping[str, object]:
        """Send a request and wait for its answer.

        Raises:
            _ChildFailed: the child was late, or has ended.
        """
        if not self.asked and self._read(len(READY), time.monotonic() + START_SECONDS) != READY:
            raise _ChildFailed("checker_crashed")
        self.asked += 1
        deadline = time.monotonic() + seconds
        self._write(frames, deadline)
        size = int.from_bytes(self._read(4, deadline), "big")
        if size > MAX_ANSWER:
            raise _ChildFailed("checker_crashed")
        content = self._read(size, deadline)
        try:
            answer = json.loads(content)
        except ValueError:
            raise _ChildFailed("checker_crashed") from None
        if not isinstance(answer, dict) or "failed" in answer:
            # Its memory is in an unknown state: it answers nobody else.
            self.broken = True
        return answer if isinstance(answer, dict) else {"failed": "checker_crashed"}

    def _write(self, content: bytes, deadline: float) -> None:
        rest = memoryview(content)
        while rest:
            self._wait(deadline, writing=True)
            try:
                rest = rest[os.write(self.into.fileno(), rest[:65_536]) :]
            except BrokenPipeError:
                raise _ChildFailed("checker_crashed") from None

    def _read(self, size: int, deadline: float) -> bytes:
        content = b""
        while len(content) < size:
            self._wait(deadline, writing=False)
            part = os.read(self.out.fileno(), size - len(content))
            if not part:
                raise _ChildFailed("checker_crashed")
            content += part
        return content

    def _wait(self, deadline: float, *, writing: bool) -> None:
        """Wait until the pipe can be used."""
        left = deadline - time.monotonic()
        poll = select.poll()  # not select(): a busy server has descriptors beyond 1,024
        pipe = self.into if writing else self.out
        poll.register(pipe.fileno(), select.POLLOUT if writing else select.POLLIN)
        if left <= 0 or not poll.poll(left * 1000):
            raise _ChildFailed("took_too_long")

    def usable(self) -> bool:
        """Tell whether it may check another diagram."""
        return not self.broken and self.asked < CHECKS_PER_CHILD and self.process.poll() is None

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.abandon()

    def abandon(self) -> None:
        """Close the pipes."""
        for pipe in (self.into, self.out):
            with suppress(OSError):
                pipe.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # pragma: no cover - Popen gives what was asked for
        raise _ChildFailed("checker_crashed")
    return pipe


class _Pool:
    """At most one idle child of this process, and at most `AT_ONCE` that work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._idle: _Child | None = None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait until one more child may work: each takes memory, and many would take all of it."""
        if not self._places.acquire(timeout=PATIENCE):
            raise Busy
        try:
            yield
        finally:
            self._places.release()

    def take(self, megabytes: int) -> _Child:
        """Give the idle child when it fits, else a new one."""
        with self._lock:
            child, self._idle = self._idle, None
        if child is not None and child.megabytes == megabytes and child.usable():
            return child
        if child is not None:
            child.end()
        return _Child(megabytes)

    def give_back(self, child: _Child) -> None:
        """Keep a child for the next diagram, or end it."""
        with self._lock:
            if self._idle is None and child.usable():
                self._idle = child
                return
        child.end()

    def close(self) -> None:
        """End the idle child."""
        with self._lock:
            child, self._idle = self._idle, None
        if child is not None:
            child.end()

    def forget(self) -> None:
        """Let go of the parent's child after a fork: it is not ours to ask or to kill."""
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        child, self._idle = self._idle, None
        if child is not None:
            child.abandon()
            # A process that is not our child cannot be waited for.
            child.process.returncode = 0


_pool: Final = _Pool()
atexit.register(close)
os.register_at_fork(after_in_child=_pool.forget)
