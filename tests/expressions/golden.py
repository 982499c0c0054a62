"""Reads golden.json: the file that fixes the meaning of the language for every runtime."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
CASES = GOLDEN["expressions"]
CELLS = GOLDEN["cells"]
TAGS = {"$date": date.fromisoformat, "$datetime": datetime.fromisoformat, "$decimal": Decimal}


def typed(value):
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        [*keys] = value
        if len(keys) == 1 and keys[0] in TAGS:
            return TAGS[keys[0]](value[keys[0]])
        return {key: typed(item) for key, item in value.items()}
    return value


def plain(value):
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return {"$decimal": format(value, "f")}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    return value


def large(description):
    """{"a": ["text", 3]} is a scope with a text of 3 characters, ["list", 3] one of 3 items."""
    return {name: "x" * size if kind == "text" else ["x"] * size for name, (kind, size) in description.items()}


def plain_scope(case):
    return large(case["large"]) if "large" in case else case.get("scope", GOLDEN["scope"])


def situation(case):
    today = case.get("today", GOLDEN["today"])
    return {
        "scope": typed(plain_scope(case)),
        "today": date.fromisoformat(today) if today else None,
        "this": typed(case.get("this")),
    }


def name_of(case):
    return f"{case['category']}: {case['text'][:50]}"
