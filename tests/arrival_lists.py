"""Arrival lists of invented people, of any length."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator

HEADER = ("الاسم الرباعي", "اللقب", "اسم الأم", "الجنس", "تاريخ الميلاد", "رقم الوثيقة", "المحافظة", "الهاتف")
_OWN = [
    "آزاد",
    "شيرين",
    "محمد",
    "نور",
    "آمنة",
    "دلشاد",
    "روژان",
    "سارة",
    "علي",
    "عمر",
    "هدى",
    "كاوه",
    "ژيان",
    "لانا",
    "كريم",
    "سعد",
    "جوان",
    "ريبوار",
    "هيوا",
    "ميديا",
]
_SYLLABLES = [
    "با",
    "تا",
    "را",
    "سا",
    "كا",
    "لا",
    "ما",
    "نا",
    "دار",
    "سام",
    "ران",
    "كار",
    "مان",
    "تين",
    "هور",
    "شال",
    "زين",
    "بير",
]
_SURNAMES = ["الدليمي", "البرزنجي", "السامرائي", "الخفاجي", "الجبوري", "الزنكنه", "التميمي", "الحديدي"]
_PLACES = ("norvale", "lakemar", "hillin", "sandor")


def invented_names(number: int) -> list[str]:
    """Make names out of syllables, so that a long list has many different ones."""
    names = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in ("", "ن", "د", "م")]
    return names[:number]


def rows(count: int, *, seed: int = 7) -> Iterator[tuple[str, ...]]:
    """Make rows of people who all differ in their papers and telephones."""
    pick = random.Random(seed)
    fathers = invented_names(900)
    for number in range(count):
        woman = pick.random() < 0.45
        yield (
            " ".join((pick.choice(_OWN), pick.choice(fathers), pick.choice(fathers), pick.choice(fathers))),
            pick.choice(_SURNAMES),
            pick.choice(fathers),
            "أنثى" if woman else "ذكر",
            f"{pick.randint(1, 28):02}/{pick.randint(1, 12):02}/{pick.randint(1950, 2015)}",
            f"G{10_000_000 + number}",
            pick.choice(_PLACES),
            f"0770{1_000_000 + number:07}",
        )


def as_csv(lines: Iterator[tuple[str, ...]] | list[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> bytes:
    """Write rows as a CSV file with a byte order mark, as spreadsheets do."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *lines])
    return out.getvalue().encode("utf-8-sig")
