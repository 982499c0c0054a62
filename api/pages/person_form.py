"""The form in which a person is written down: its fields, and which field a mistake belongs to."""

from __future__ import annotations

from typing import Final

from api.pages.kit.visits import Told, Visit
from nrm.errors import NotValid
from nrm.rules.identity import NAME_PARTS, OTHER_NAMES

NAMES: Final = (*NAME_PARTS, *OTHER_NAMES)
PHONES: Final = ("phone", "phone2")
FACTS: Final = ("born", "sex", "nationality", "language", "governorate")
CONTACT: Final = (*PHONES, "address_district", "address_line")
"""What stays covered until somebody asks for it."""

_FIELDS: Final = {
    "status": "paper_status",
    "district": "address_district",
    "line": "address_line",
    "kind": "paper_kind",
    "number": "paper_number",
    "channel": "safe_channel",
    "note": "safe_note",
}
_SAME: Final = {"name": "own", "names": "own", "phones": "phone", "": "own"}


def sought(visit: Visit) -> dict[str, object]:
    """Give what somebody looks for, from the form of the search."""
    words = [visit.text(part) for part in NAME_PARTS]
    found: dict[str, object] = {"name": " ".join(word for word in words if word)}
    for name in ("mother", "born", "phone", "governorate", "sex"):
        found[name] = visit.text(name)
    return {**found, "document": visit.text("paper_number")}


def entered(visit: Visit) -> dict[str, object]:
    """Give what was filled in about a new person, as `nrm.actions.people.register_person` takes it."""
    data: dict[str, object] = {"names": {part: text for part in NAMES if (text := visit.text(part))}}
    data.update({name: visit.text(name) or None for name in FACTS})
    if visit.text("estimated") == "1":
        data["birth_precision"] = "estimated"
    data["phones"] = [visit.text(name) for name in PHONES if visit.text(name)]
    data["safe_contact"] = {
        name: visit.text(f"safe_{name}") for name in ("channel", "note") if visit.text(f"safe_{name}")
    }
    if visit.text("paper_kind") or visit.text("paper_number"):
        data["documents"] = [paper(visit)]
    return data


def paper(visit: Visit) -> dict[str, object]:
    """Give the identity paper that was filled in."""
    return {"kind": visit.text("paper_kind"), "number": visit.text("paper_number")}


def told(visit: Visit, error: NotValid) -> Told:
    """Say what is wrong, at the field where it is."""
    return tuple((_field(visit, one.pointer), visit.problem(one.code, one.params)) for one in error.problems)


def _field(visit: Visit, pointer: str) -> str:
    *before, last = pointer.strip("/").split("/")
    if before == ["phones"]:
        filled = [name for name in PHONES if visit.text(name)]
        return filled[int(last)] if last.isdigit() and int(last) < len(filled) else "phone"
    if last == "document":
        return "paper_number"
    return _FIELDS.get(last, _SAME.get(last, last))
