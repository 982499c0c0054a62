"""Clearly invented people."""

from __future__ import annotations

AZAD: dict[str, object] = {
    "names": {
        "own": "آزاد",
        "father": "محمد",
        "grandfather": "عبد الرحمن",
        "great_grandfather": "حسین",
        "surname": "البرزنجي",
        "mother": "گوڵاڵە",
        "latin": "Azad Mohammed Abdulrahman Hussein",
    },
    "born": "1987-05-12",
    "sex": "male",
    "governorate": "norvale",
    "language": "ckb",
    "phones": ["0770 123 4567"],
    "documents": [{"kind": "passport", "number": "A 1234567"}],
}

SHIRIN: dict[str, object] = {
    "names": {"own": "شيرين", "father": "دلشاد", "grandfather": "سردار", "surname": "الدليمي", "mother": "هدى"},
    "born": "1970",
    "sex": "female",
    "governorate": "hillin",
    "phones": ["+9647801234567"],
}


def person(base: dict[str, object], **changes: object) -> dict[str, object]:
    """Give a variant; `names` are merged."""
    changed = {**base, **changes}
    if isinstance(changes.get("names"), dict):
        changed["names"] = {**base["names"], **changes["names"]}  # type: ignore[dict-item]
    return changed
