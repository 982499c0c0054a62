"""Say a form's condition in words, for people who fill in paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nrm.expressions import Expression
from nrm.expressions.tree import Call, Compare, Junction, ListOf, Literal, Name, Node, Not
from nrm.expressions.writing import written
from nrm.i18n import say

_CATALOGUE: Final = "printing"
_ORDER: Final[Mapping[str, str]] = {">": "more", "<": "less", ">=": "at_least", "<=": "at_most"}
_SAME: Final[Mapping[str, str]] = {"==": "is", "!=": "is_not", "in": "one_of", "not in": "none_of"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordings:
    """What a condition is said with.

    Attributes:
        language: ar, ckb or en.
        labels: question → its label.
        options: question → code → label of the choice.
    """

    language: str
    labels: Mapping[str, str]
    options: Mapping[str, Mapping[str, str]]

    def say(self, code: str, **params: str) -> str:
        """Give a text of the printing catalogue."""
        return say(_CATALOGUE, code, self.language, params) or code


def in_words(expression: Expression, wordings: Wordings) -> str:
    """Say a condition.

    Args:
        expression: the condition.
        wordings: labels and choices in one language.

    Returns:
        A clause without a full stop; a part that has no words stands as its expression.
    """
    return _clause(expression.tree, wordings)


def _clause(node: Node, words: Wordings) -> str:
    match node:
        case Name(path=(name,)) if name in words.labels:
            options = words.options.get(name, {})
            if options.keys() == {"True", "False"}:
                return words.say("is", question=words.labels[name], answer=options["True"])
            return words.say("answered", question=words.labels[name])
        case Not(operand=operand):
            return words.say("not", condition=_clause(operand, words))
        case Junction(word=word, operands=(first, *others)):
            text = _clause(first, words)
            for other in others:
                text = words.say(word, first=text, second=_clause(other, words))
            return text
        case Compare(first=first, rest=((sign, second),)):
            return _comparison(first, sign, second, words)
    return words.say("rule", text=_operand(node, words))


def _comparison(first: Node, sign: str, second: Node, words: Wordings) -> str:
    if sign in _ORDER:
        return words.say(_ORDER[sign], first=_operand(first, words), second=_operand(second, words))
    if not (isinstance(first, Name) and first.path[0] in words.labels):
        return words.say("rule", text=_operand(Compare(first, ((sign, second),)), words))
    question = words.labels[first.path[0]]
    if second in (Literal(None), Literal("")) and sign in ("==", "!="):
        return words.say("not_answered" if sign == "==" else "answered", question=question)
    answers = [
        _answer(item, first.path[0], words) for item in (second.items if isinstance(second, ListOf) else (second,))
    ]
    return words.say(_SAME[sign], question=question, answer=" / ".join(answers))


def _answer(node: Node, question: str, words: Wordings) -> str:
    if isinstance(node, Literal):
        return words.options.get(question, {}).get(str(node.value), str(node.value))
    return _operand(node, words)


def _operand(node: Node, words: Wordings) -> str:
    match node:
        case Name(path=(name,)) if name in words.labels:
            return f"«{words.labels[name]}»"
        case Call(function="age", arguments=(Name(path=(name,)),)) if name in words.labels:
            return words.say("age", question=words.labels[name])
        case Literal(value=value):
            return str(value)
    return written(node)
