"""Mend XML that other tools misspell: letters in another encoding than the file says, prefixes that nobody declares.

A browser or another modeler reads such files; what had to be guessed is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, XSI

_MACHINES: Final = ("windows-1252", "windows-1256")
"""What programs write that say UTF-8 and mean the encoding of their machine: of the West, of Arabic letters."""

MOST_PREFIXES: Final = 40
_USUAL: Final = {
    **dict.fromkeys(("bpmn", "bpmn2", "semantic", "model"), BPMN),
    "bpmndi": BPMNDI,
    **dict.fromkeys(("dc", "omgdc"), DC),
    **dict.fromkeys(("di", "omgdi"), DI),
    "xsi": XSI,
    "nrm": NRM,
}
_ARABIC = re.compile(r"[\u0621-\u064a\u067e-\u06d2]")
_RUN = re.compile(rb"[\x80-\xff]{2,}")
_LEADING = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_TAG = re.compile(r"<[^\s/>!?]+")
_ROOT = re.compile(r"<[^<>]*>")
_USED = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]{0,40}):[A-Za-z_][\w.-]*(?=[\s=/>])")
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]*)\s*=")
_NAMESPACE = re.compile(r"(\sxmlns(?::[A-Za-z_][\w.-]*)?\s*=\s*)(\"[^\"<>]*\"|'[^'<>]*')")


def guess_encoding(xml: bytes) -> str:
    """Guess the encoding of a file that says UTF-8 and is not.

    Letters beyond ASCII stand one by one in words of the West, and side by side in Arabic ones.
    """
    western, arabic = _MACHINES
    together = b"".join(_RUN.findall(xml))
    letters = _ARABIC.findall(together.decode(arabic))
    alone = sum(1 for sign in xml if sign > 0x7F) - len(together)
    return arabic if len(letters) > max(alone, 0.8 * len(together)) else western


def mend_prefixes(text: str) -> tuple[str, tuple[str, ...]]:
    """Declare the prefixes that a file uses and declares nowhere, and write its namespaces as addresses.

    Args:
        text: a file that no parser of XML takes, without its declaration.

    Returns:
        The file, and what was mended: prefixes, and namespaces that held a space. Nothing when nothing helps.
    """
    spaced = sorted({found.strip("\"'") for _, found in _NAMESPACE.findall(text) if " " in found.strip("\"' ")})
    text = _NAMESPACE.sub(lambda found: found[1] + found[2].replace(" ", "%20"), text) if spaced else text
    begin = _LEADING.match(text)
    root = _ROOT.match(text, begin.end()) if begin else None
    tag = _TAG.match(text, root.start()) if root else None
    if root is None or tag is None:
        return text, tuple(spaced)
    there = set(_DECLARED.findall(root.group())) | {"xml", "xmlns"}
    missing = sorted({name for name in _USED.findall(text) if name not in there})[:MOST_PREFIXES]
    declared = "".join(_declarations(missing))
    return text[: tag.end()] + declared + text[tag.end() :], (*missing, *spaced)


def _declarations(prefixes: list[str]) -> Iterator[str]:
    for prefix in prefixes:
        yield f' xmlns:{prefix}="{_USUAL.get(prefix, f"urn:undeclared:{prefix}")}"'
