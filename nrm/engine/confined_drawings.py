"""Draw and compare diagrams in a process that can be killed: see `nrm.engine.confined`.

A draft, or a file that somebody brings, may be drawn so that laying it out takes for ever; a web process must not
wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from nrm.engine.compare import Compared, Difference, Element
from nrm.engine.confined import GaveUp, ask_child
from nrm.engine.finding_files import Json, finding_from_json
from nrm.engine.walking import ReadStep
from nrm.errors import BadPath

DRAW_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDrawings:
    """How a diagram differs from an earlier one.

    Attributes:
        compared: what differs.
        before: drawing of the earlier one with what differs marked; "" where none was asked for.
        after: drawing of the later one.
    """

    compared: Compared
    before: str
    after: str


def draw_confined(
    xml: bytes,
    *,
    language: str,
    mirrored: bool | None = None,
    on_paper: bool = False,
    styled: bool = True,
    seconds: float = DRAW_SECONDS,
) -> str:
    """Draw a diagram.

    Args:
        xml: the file's bytes, from anybody.
        language: language of the texts.
        mirrored: draw from right to left; None for "as the language is written".
        on_paper: give HTML with A4 pages instead of one SVG.
        styled: put the style inside; False for a page that has it in its own sheet.
        seconds: wall time after which the child is killed.

    Raises:
        BadPath: the file cannot be read, or drawing it took too long.
        Busy: too many diagrams are being worked on at this moment.
    """
    wishes = {"language": language, "mirrored": mirrored, "on_paper": on_paper, "styled": styled}
    return str(_ask({"do": "draw", **wishes}, xml, seconds)["drawn"])


def forms_confined(xml: bytes, *, seconds: float = DRAW_SECONDS) -> frozenset[str]:
    """Give the keys of the forms that a diagram names; errors as for `draw_confined`."""
    return frozenset(cast(list[str], _ask({"do": "name_forms"}, xml, seconds)["forms"]))


def walk_confined(xml: bytes, *, seconds: float = DRAW_SECONDS) -> tuple[ReadStep, ...]:
    """Read the steps of a diagram in their order; errors as for `draw_confined`."""
    steps = cast("list[dict[str, Any]]", _ask({"do": "walk"}, xml, seconds)["steps"])
    return tuple(
        ReadStep(**{**step, "leads": tuple((names, target) for names, target in step["leads"])}) for step in steps
    )


def compare_confined(
    before: bytes, after: bytes, *, language: str | None = None, seconds: float = DRAW_SECONDS
) -> ComparedDrawings:
    """Compare two diagrams; errors as for `draw_confined`.

    Args:
        before: the earlier file.
        after: the later file.
        language: draw both, with texts in this language; None draws nothing.
        seconds: wall time after which the child is killed.
    """
    request = {"do": "compare", "before": before.decode("utf-8", "replace"), "language": language}
    answer = _ask(request, after, seconds)
    drawn = cast(list[str], answer["drawn"]) or ["", ""]
    return ComparedDrawings(compared=_compared(cast(Json, answer["compared"])), before=drawn[0], after=drawn[1])


def _ask(request: Mapping[str, object], xml: bytes, seconds: float) -> Json:
    try:
        answer = ask_child(request, xml, seconds=seconds)
    except GaveUp as problem:
        raise BadPath([problem.finding]) from None
    if "findings" in answer:
        raise BadPath([finding_from_json(each) for each in cast(list[Json], answer["findings"])])
    return answer


def _compared(data: Json) -> Compared:
    return Compared(
        added=_elements(data["added"]),
        removed=_elements(data["removed"]),
        changed=tuple(Difference(**each) for each in cast("list[dict[str, str]]", data["changed"])),
        layout_only=tuple(cast("list[str]", data["layout_only"])),
        names=cast("Mapping[str, Mapping[str, str]]", data["names"]),
    )


def _elements(data: object) -> tuple[Element, ...]:
    return tuple(
        Element(id=str(each["id"]), kind=str(each["kind"]), names=cast("Mapping[str, str]", each["names"]))
        for each in cast("list[Json]", data)
    )
