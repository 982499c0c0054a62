"""A diagram is checked in a child that can be killed; whatever it does, the caller gets findings."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nrm.engine import confined
from nrm.engine.confined import check_diagram
from nrm.engine.finding_files import known_from_json, known_to_json, resources_from_json, resources_to_json
from nrm.engine.lint import lint_path
from tests.engine.samples import KNOWN, RESOURCES, SMALL


@pytest.fixture(autouse=True)
def _no_child_left() -> Iterator[None]:
    # Loading a pack in an earlier test leaves a warm child, which would not run the code that a test gives it.
    confined.close()
    yield
    confined.close()


def codes(xml: bytes, **options: float) -> list[str]:
    return [finding.code for finding in check_diagram(xml, resources=RESOURCES, known=KNOWN, **options)]  # type: ignore[arg-type]


def misbehave(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let children run `code` instead of checking, after they have said that they are ready."""
    start = "import os, sys, time; os.write(1, b'R'); sys.stdin.buffer.read(4); "
    monkeypatch.setattr(confined, "_CODE", start + code)


def test_a_good_path_has_no_finding() -> None:
    assert codes(SMALL) == []


def test_the_child_says_the_same_as_lint_does_here() -> None:
    xml = SMALL.replace(b'key="visit"', b'key="nothing"').replace(b"P3D", b"three")
    assert check_diagram(xml, resources=RESOURCES, known=KNOWN) == lint_path(xml, resources=RESOURCES, known=KNOWN)


def test_what_only_the_engine_refuses_is_said_too() -> None:
    from nrm.engine.steps import Resources
    from tests.engine import samples as s

    step = f'<bpmn:businessRuleTask id="rank" name="Rank">{s.ext("<nrm:table key=" + chr(34) + "priority" + chr(34) + "/>", s.names("Rank"))}</bpmn:businessRuleTask>'
    inner = s.SMALL_INNER.replace(s.flow("record", "which"), s.flow("record", "rank") + step + s.flow("rank", "which"))
    broken = Resources(tables={"priority": "<definitions/>"})
    findings = check_diagram(s.whole(inner), resources=broken, known=KNOWN)
    assert [(finding.code, finding.element) for finding in findings] == [("table_not_single", "rank")]


def test_one_child_checks_many_diagrams() -> None:
    codes(SMALL)
    first = confined._pool._idle
    assert first is not None
    assert [codes(SMALL), codes(b"<"), codes(SMALL)] == [[], ["not_xml"], []]
    assert confined._pool._idle is first


def test_a_child_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    misbehave(monkeypatch, "time.sleep(60)")
    began = time.monotonic()
    assert codes(SMALL, seconds=0.5) == ["took_too_long"]
    assert time.monotonic() - began < 10
    assert confined._pool._idle is None


def test_a_child_that_reads_nothing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    misbehave(monkeypatch, "time.sleep(60)")
    assert codes(b" " * 3_000_000, seconds=0.5) == ["took_too_long"]


@pytest.mark.parametrize(
    "crash",
    [
        "os._exit(3)",
        "os.abort()",
        "os.kill(os.getpid(), 9)",
        "os.write(1, b'\\xff' * 8); time.sleep(9)",
        "os.write(1, b'\\0\\0\\0\\1{'); time.sleep(9)",
    ],
)
def test_a_child_that_falls_over_is_a_finding(monkeypatch: pytest.MonkeyPatch, crash: str) -> None:
    misbehave(monkeypatch, crash)
    assert codes(SMALL) == ["checker_crashed"]


def test_a_child_that_cannot_start_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_CODE", "raise SystemExit(1)")
    assert codes(SMALL) == ["checker_crashed"]


def test_after_a_failure_the_next_diagram_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        misbehave(changed, "os._exit(3)")
        assert codes(SMALL) == ["checker_crashed"]
    assert codes(SMALL) == []


def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    eat = (
        "import sys; sys.path.insert(0, sys.argv[1]); from nrm.engine import checker; "
        "checker.lint_path = lambda *a, **k: bytearray(2**31); checker.main(int(sys.argv[2]))"
    )
    monkeypatch.setattr(confined, "_CODE", eat)
    assert codes(SMALL) == ["too_much_memory"]
    assert confined._pool._idle is None


def test_the_child_has_nothing_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment, no open file: what it can see is written into its only answer."""
    look = (
        "import sys; sys.path.insert(0, sys.argv[1]); import os; from nrm.engine import checker, findings; "
        "seen = ','.join(sorted(os.environ)) + ';' + ','.join(sorted(os.listdir('/proc/self/fd'), key=int)); "
        "checker.check_here = lambda *a, **k: (findings.Finding(code=seen),); checker.main(int(sys.argv[2]))"
    )
    monkeypatch.setenv("NRM_DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr(confined, "_CODE", look)
    handle = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(handle, True)
    try:
        (seen,) = codes(SMALL)
    finally:
        os.close(handle)
    names, descriptors = seen.split(";")
    assert names in {"LC_ALL", "LC_ALL,LC_CTYPE"}
    # 0, 1, 2, and the descriptor that lists the folder.
    assert descriptors == "0,1,2,3"


def test_the_child_cannot_write_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "canary"
    write = (
        "import sys, signal; sys.path.insert(0, sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from nrm.engine import checker; "
        f"checker.check_here = lambda *a, **k: open({str(target)!r}, 'w').write('x' * 99_999) and (); checker.main(int(sys.argv[2]))"
    )
    monkeypatch.setattr(confined, "_CODE", write)
    assert codes(SMALL) == ["checker_crashed"]
    assert not target.exists() or target.stat().st_size == 0


def test_several_threads_check_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda xml: codes(xml, seconds=60), [SMALL, b"<", SMALL, b"", SMALL, b"x"]))
    assert results == [[], ["not_xml"], [], ["file_empty"], [], ["not_xml"]]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_worker_uses_children_of_its_own() -> None:
    """As under gunicorn, which forks its workers from a process that may have checked something already."""
    codes(SMALL)
    parents = confined._pool._idle
    into, out = os.pipe()
    worker = os.fork()
    if worker == 0:
        fresh = confined._pool._idle is None
        good = fresh and codes(SMALL, seconds=60) == []
        confined.close()
        os.write(out, b"1" if good else b"0")
        os._exit(0)
    os.close(out)
    assert os.read(into, 1) == b"1"
    os.close(into)
    os.waitpid(worker, 0)
    assert confined._pool._idle is parents
    assert codes(SMALL) == []


def test_what_crosses_the_pipe_comes_out_the_same() -> None:
    assert known_from_json(known_to_json(KNOWN)) == KNOWN
    assert resources_from_json(resources_to_json(RESOURCES)) == RESOURCES
