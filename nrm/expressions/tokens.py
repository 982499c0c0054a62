"""Cut the text of an expression into tokens; every character that the language does not know is refused here."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nrm.expressions.limits import BRACKETS, FRACTION_DIGITS, INTEGER_DIGITS, LITERAL_LENGTH, NAME_LENGTH, TEXT_LENGTH
from nrm.expressions.mistakes import BadExpression

DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
"""Arabic-Indic and Persian digits → Latin digits."""

_ANY_DIGIT = "0-9٠-٩۰-۹"
_SPACE = re.compile(r"[ \t\r\n]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(rf"[{_ANY_DIGIT}]+(?:\.[{_ANY_DIGIT}]+)?")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>|\+|-|\*|/|\(|\)|\[|\]|,|\.\.|\.|\?")
_LONG_FORBIDDEN = re.compile(r"\*\*|//|<<|>>|->|<>")
_FORBIDDEN = re.compile(r":=|\|\||&&|[%|&^~@;:{}`$#!\\=]")
_QUOTES = "'\""
_ZERO_WIDTH_NON_JOINER = "\u200c"  # part of Sorani and Persian spelling

WORDS: Final = frozenset({"and", "or", "not", "in", "True", "False", "None"})
RESERVED: Final = frozenset(keyword.kwlist)
"""Words that cannot be names; those outside WORDS are not part of the language."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: "name", "word", "number", "text", "sign" or "end".
        text: as written (a text literal: its content).
        at: index of its first character, 0-based.
        number: the value of a number.
    """

    kind: str
    text: str
    at: int
    number: int | Decimal = 0


def is_name(text: str) -> bool:
    """Say whether a field or value may have this name: ASCII letters, digits, `_`; starts with a letter; no keyword."""
    match = _NAME.fullmatch(text)
    return match is not None and len(text) <= NAME_LENGTH and not text.startswith("_") and text not in RESERVED


def tokens_of(text: str, *, limit: int = TEXT_LENGTH) -> tuple[Token, ...]:
    """Cut a text into tokens, the last of kind "end".

    Args:
        text: an expression or a table cell.
        limit: the greatest length, in characters.

    Raises:
        BadExpression: too long, a character or sign outside the language, a bad number or text, brackets too deep.
    """
    if not isinstance(text, str):
        raise BadExpression("not_text")
    if len(text) > limit:
        raise BadExpression("too_long", limit, limit=limit)
    found: list[Token] = []
    at = _after_space(text, 0)
    depth = 0
    while at < len(text):
        token, at = _token(text, at)
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) if token.kind == "sign" else 0
        if depth > BRACKETS:
            raise BadExpression("too_deep", token.at, limit=BRACKETS)
        found.append(token)
        at = _after_space(text, at)
    return (*found, Token("end", "", len(text)))


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int) -> tuple[Token, int]:
    if match := _NAME.match(text, at):
        return _name(text, match), match.end()
    if match := _NUMBER.match(text, at):
        return _number(text, match), match.end()
    if text[at] in _QUOTES:
        return _text(text, at)
    if forbidden := _LONG_FORBIDDEN.match(text, at):
        raise _not_allowed(forbidden)
    if match := _OPERATOR.match(text, at):
        if match.group() == "." and text[at + 1 : at + 2].isdigit():
            raise BadExpression("bad_number", at)
        return Token("sign", match.group(), at), match.end()
    if forbidden := _FORBIDDEN.match(text, at):
        raise _not_allowed(forbidden)
    raise _bad_character(text[at], at)


def _not_allowed(match: re.Match[str]) -> BadExpression:
    sign = match.group()
    if sign == "=":
        return BadExpression("use_double_equals", match.start())
    return BadExpression("sign_not_allowed", match.start(), sign=sign)


def _bad_character(character: str, at: int) -> BadExpression:
    return BadExpression("bad_character", at, character=f"U+{ord(character):04X}")


def _name(text: str, match: re.Match[str]) -> Token:
    name, at = match.group(), match.start()
    follows = text[match.end() : match.end() + 1]
    if follows and follows in _QUOTES and name not in WORDS:
        raise BadExpression("text_prefix", at, prefix=name[:NAME_LENGTH])
    if follows and not follows.isascii() and follows.isidentifier():
        raise _bad_character(follows, match.end())
    if len(name) > NAME_LENGTH:
        raise BadExpression("name_too_long", at, limit=NAME_LENGTH)
    if name.startswith("_"):
        raise BadExpression("private_name", at, name=name)
    if name in WORDS:
        return Token("word", name, at)
    if name in RESERVED:
        raise BadExpression("word_not_allowed", at, word=name)
    return Token("name", name, at)


def _number(text: str, match: re.Match[str]) -> Token:
    at, follows = match.start(), text[match.end() : match.end() + 1]
    whole, _, fraction = match.group().translate(DIGITS).partition(".")
    if follows.isidentifier() or follows.isdigit() or (len(whole) > 1 and whole.startswith("0")):
        raise BadExpression("bad_number", at)
    if follows == "." and text[match.end() : match.end() + 2] != "..":
        raise BadExpression("bad_number", at)
    if len(whole) > INTEGER_DIGITS or len(fraction) > FRACTION_DIGITS:
        raise BadExpression("number_too_large", at, before=INTEGER_DIGITS, after=FRACTION_DIGITS)
    number = Decimal(f"{whole}.{fraction}") if fraction.strip("0") else int(whole)
    return Token("number", match.group(), at, number.normalize() if isinstance(number, Decimal) else number)


def _text(text: str, at: int) -> tuple[Token, int]:
    quote, content, here = text[at], "", at + 1
    while True:
        if here >= len(text):
            raise BadExpression("text_not_closed", at)
        character = text[here]
        if character == quote:
            break
        if character == "\\":
            here += 1
            character = text[here : here + 1]
            if character not in ("\\", "'", '"'):
                raise BadExpression("bad_escape", here - 1)
        elif unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != _ZERO_WIDTH_NON_JOINER:
            raise BadExpression("hidden_character", here, character=f"U+{ord(character):04X}")
        content += character
        here += 1
    if len(content) > LITERAL_LENGTH:
        raise BadExpression("text_too_long", at, limit=LITERAL_LENGTH)
    return Token("text", content, at), here + 1
