"""What differs between two versions of a form: questions by name, and each thing that a question says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nrm.rules.forms import Field, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChange:
    """One thing of a form that differs.

    Attributes:
        question: name of the question; "" for the form itself.
        what: "added", "removed", or what differs ("label", "relevant").
        detail: a language or the code of a choice; "" for none.
        before: what it was; None when it was nothing.
        after: what it is; None when it is nothing.
    """

    question: str
    what: str
    detail: str = ""
    before: str | None = None
    after: str | None = None


def compare_forms(before: Form | None, after: Form | None) -> tuple[FormChange, ...]:
    """Compare two versions of a form.

    Args:
        before: the earlier one; None when there was none.
        after: the later one; None when there is none any more.
    """
    if before is None or after is None:
        what = "added" if before is None else "removed"
        return () if before is after else (FormChange(question="", what=what),)
    changes = list(_told("", _form_facts(before), _form_facts(after)))
    old = {item.name: item for item in before.walk() if item.name}
    new = {item.name: item for item in after.walk() if item.name}
    changes += [FormChange(question=name, what="added") for name in new if name not in old]
    changes += [FormChange(question=name, what="removed") for name in old if name not in new]
    for name, item in new.items():
        if name in old:
            changes += _told(name, _facts(old[name], before), _facts(item, after))
    if [name for name in old if name in new] != [name for name in new if name in old]:
        changes.append(FormChange(question="", what="order"))
    return tuple(changes)


def _told(question: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[FormChange]:
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key), new.get(key)
        if before != after:
            what, _, detail = key.partition("/")
            yield FormChange(question=question, what=what, detail=detail, before=before, after=after)


def _form_facts(form: Form) -> dict[str, str]:
    texts = (("title", form.title), ("description", form.description))
    return {f"{what}/{language}": text for what, said in texts for language, text in said.items()}


def _facts(item: Field, form: Form) -> dict[str, str]:
    facts = {"type": item.type, "required": "true" if item.required else "false"}
    for what, texts in (("label", item.label), ("hint", item.hint), ("message", item.constraint_message)):
        facts |= {f"{what}/{language}": text for language, text in texts.items()}
    for what in ("relevant", "constraint", "calculation"):
        expression = getattr(item, what)
        if expression is not None:
            facts[what] = expression.text
    facts |= {"list": item.list} if item.list else {}
    facts |= {"class": item.sensitivity}
    facts |= {"appearance": item.appearance} if item.appearance else {}
    facts |= {"default": json.dumps(item.default, ensure_ascii=False)} if item.default is not None else {}
    for choice in form.choices.get(item.list or "", ()):
        facts |= {f"choice/{choice.name} ({language})": label for language, label in choice.label.items()}
    if item.type == "repeat":
        facts["rounds"] = f"{item.least}-{item.most}"
    return facts
