"""The child side of `nrm.engine.confined`: checks diagrams that come through a pipe, under limits on itself.

It runs in a fresh interpreter with an empty environment and no open file of its parent. A request is a length (four
bytes, big-endian), a JSON object (resources, what the pack knows), a length, and the diagram's bytes; the answer is a
length and a JSON object. It ends when its input ends.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final, cast

from nrm.engine.checker_drawings import compare, draw, name_forms, walk
from nrm.engine.checker_plays import make_trial, play_scenarios
from nrm.engine.finding_files import (
    Json,
    finding_to_json,
    imported_to_json,
    known_from_json,
    resources_from_json,
    verdict_to_json,
)
from nrm.engine.findings import Finding
from nrm.engine.importing import import_diagram
from nrm.engine.lint import Known, has_errors, lint_path, ordered
from nrm.engine.parsing import compile_path
from nrm.engine.reading import processes, read_diagram
from nrm.engine.soundness import check_soundness
from nrm.engine.steps import Resources
from nrm.errors import BadPath

READY: Final = b"R"


def main(megabytes: int) -> None:
    """Answer requests until the input ends.

    Args:
        megabytes: limit of the address space.
    """
    source, answers = _take_pipes()
    _limit(megabytes)
    answers.write(READY)
    answers.flush()
    while (request := _read_frame(source)) is not None:
        xml = _read_frame(source) or b""
        answer = json.dumps(_answer(request, xml)).encode()
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for the protocol, so that nothing that prints or asks can disturb it."""
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return source, answers


def _limit(megabytes: int) -> None:
    """Let this process use no more memory, write no file and leave no core."""
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_frame(source: BinaryIO) -> bytes | None:
    """Read one length and that many bytes; None at the end of the input."""
    head = source.read(4)
    if len(head) < 4:
        return None
    return source.read(int.from_bytes(head, "big"))


def _answer(request: bytes, xml: bytes) -> Json:
    """Check one diagram; an unforeseen exception is an answer too."""
    try:
        data = json.loads(request)
        return WORKS[data["do"]](data, xml)
    except MemoryError:
        return {"failed": "too_much_memory"}
    except Exception:  # whatever it is, the diagram caused it, and the caller must hear of it
        return {"failed": "checker_crashed"}


def _check(data: Json, xml: bytes) -> Json:
    known = data["known"]
    findings = check_here(
        xml,
        resources=resources_from_json(cast(Json, data["resources"])),
        known=None if known is None else known_from_json(cast(Json, known)),
    )
    return {"findings": [finding_to_json(finding) for finding in findings], "key": _key_of(xml)}


def _key_of(xml: bytes) -> str | None:
    try:
        return processes(read_diagram(xml))[0].get("id")
    except BadPath:
        return None


def _import(data: Json, xml: bytes) -> Json:
    process, key = (None if data[name] is None else str(data[name]) for name in ("process", "key"))
    try:
        return imported_to_json(import_diagram(xml, process=process, key=key))
    except BadPath as problem:
        return {"findings": [finding_to_json(each) for each in problem.findings if isinstance(each, Finding)]}


def _judge(data: Json, xml: bytes) -> Json:
    known = data["known"]
    verdict = check_soundness(
        xml,
        resources=resources_from_json(cast(Json, data["resources"])),
        known=None if known is None else known_from_json(cast(Json, known)),
    )
    return verdict_to_json(verdict)


WORKS: Final[Mapping[str, Callable[[Json, bytes], Json]]] = {
    "check": _check,
    "compare": compare,
    "draw": draw,
    "import": _import,
    "judge": _judge,
    "name_forms": name_forms,
    "play": play_scenarios,
    "try": make_trial,
    "walk": walk,
}
"""What a child can be asked to do: name → the work, given the request and the bytes that it is about."""


def check_here(xml: bytes, *, resources: Resources, known: Known | None) -> tuple[Finding, ...]:
    """Read, lint and compile a diagram in this process.

    What the engine itself refuses is said where lint has no error.
    """
    findings = lint_path(xml, resources=resources, known=known)
    if has_errors(findings):
        # The engine's list would say the same in fewer words.
        return findings
    try:
        compile_path(xml, resources=resources)
    except BadPath as problem:
        refused = [finding for finding in problem.findings if isinstance(finding, Finding)]
        return ordered([*findings, *refused])
    return findings


if __name__ == "__main__":
    main(int(sys.argv[1]))
