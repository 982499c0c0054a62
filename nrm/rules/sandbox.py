"""How the services of the sandbox answer referrals by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswer:
    """One way to answer.

    Attributes:
        code: its name, part of the service's code.
        names: name of the service by language.
        verbs: what the provider does, in order: verb, and code of the reason or outcome ("" for none).
    """

    code: str
    names: Mapping[str, str]
    verbs: tuple[tuple[str, str], ...] = ()


TRIED: Final = SandboxAnswer(
    code="own", names={"ar": "خدمة تجريبية", "ckb": "خزمەتگوزاریی تاقیکردنەوە", "en": "Sandbox service"}
)
ACCEPT: Final = SandboxAnswer(
    code="accepts",
    names={"ar": "خدمة تجريبية تقبل", "ckb": "خزمەتگوزاریی تاقیکردنەوە: وەری دەگرێت", "en": "Sandbox: accepts"},
    verbs=(("acknowledge", ""), ("accept", "")),
)
SERVE: Final = SandboxAnswer(
    code="serves",
    names={
        "ar": "خدمة تجريبية تقبل وتقدَّم",
        "ckb": "خزمەتگوزاریی تاقیکردنەوە: وەری دەگرێت و پێشکەشی دەکات",
        "en": "Sandbox: accepts and serves",
    },
    verbs=(("acknowledge", ""), ("accept", ""), ("start", ""), ("complete", "provided")),
)
DECLINE: Final = SandboxAnswer(
    code="declines",
    names={
        "ar": "خدمة تجريبية ترفض لعدم وجود مكان",
        "ckb": "خزمەتگوزاریی تاقیکردنەوە: جێگەی نییە و ڕەتی دەکاتەوە",
        "en": "Sandbox: declines, at capacity",
    },
    verbs=(("acknowledge", ""), ("decline", "no_capacity")),
)
SILENT: Final = SandboxAnswer(
    code="never_answers",
    names={
        "ar": "خدمة تجريبية لا تجيب أبدًا",
        "ckb": "خزمەتگوزاریی تاقیکردنەوە: هەرگیز وەڵام ناداتەوە",
        "en": "Sandbox: never answers",
    },
)

ANSWERS: Final[Mapping[str, SandboxAnswer]] = {
    answer.code: answer for answer in (TRIED, ACCEPT, SERVE, DECLINE, SILENT)
}
"""Every way to answer, by its code."""
