"""Country packs as files: read into frozen values, written back; no database and no clock.

A pack is a folder of JSON (and BPMN, DMN) files; `workflows/README.md` describes each of them for authors.
"""

from nrm.countries.reading import BadPack, read_pack
from nrm.countries.values import (
    Agreement,
    Code,
    Desk,
    Item,
    ItemKind,
    Json,
    Organisation,
    Pack,
    PackProblem,
    Place,
    Service,
)
from nrm.countries.writing import write_pack

__all__ = [
    "Agreement",
    "BadPack",
    "Code",
    "Desk",
    "Item",
    "ItemKind",
    "Json",
    "Organisation",
    "Pack",
    "PackProblem",
    "Place",
    "Service",
    "read_pack",
    "write_pack",
]
