"""Clean text: what people type and paste, made safe to store, compare and show.

Refused are characters that change how other text looks (bidirectional overrides: "Trojan Source", CVE-2021-42574)
or that storage cannot hold (NUL, lone surrogates). Everything else a name may need stays: the zero-width
non-joiner is ordinary Kurdish and Persian spelling.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from nrm.errors import Params

_DIGITS: Final = {
    **{ord("٠") + number: str(number) for number in range(10)},
    **{ord("۰") + number: str(number) for number in range(10)},
}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_MARKS: Final = re.compile("[\ufeff\u200e\u200f\u061c]")
_ODD_SPACES: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]")


_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_MARKUP: Final = re.compile(r"<\s*[A-Za-z/!?]|&#?[A-Za-z0-9]{1,31};")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_code(value: object) -> bool:
    """Say whether something looks like a code: a word in small Latin letters, digits and "_", at most 64."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def holds_markup(text: str) -> bool:
    """Say whether a text holds something that a program might take for a tag or an entity of HTML."""
    return _MARKUP.search(text) is not None


def unstorable(value: object) -> str | None:
    """Give the code of the problem of a text that no database holds (NUL, a lone surrogate); None when it is one."""
    found = _UNSTORABLE.search(value) if isinstance(value, str) else None
    if found is None:
        return None
    return "control_character" if found.group() == "\x00" else "broken_text"


class WrongValue(Exception):
    """A value cannot be taken; `code` and `params` make the problem, whose place the caller knows."""

    def __init__(self, code: str, /, **params: str | int | None) -> None:
        """Keep the code of the problem and the values of its message.

        Args:
            code: key of the problem texts.
            params: values for the message; never the personal value itself.
        """
        super().__init__(code)
        self.code = code
        self.params: Params = params


def fold_digits(text: str) -> str:
    """Turn Arabic-Indic and Persian digits into 0–9, the Arabic decimal mark into "." and drop its thousands mark."""
    return text if text.isascii() else text.translate(_DIGITS).replace("٫", ".").replace("٬", "")


def clean_text(value: object, *, longest: int, lines: bool = False) -> str:
    """Take a text as a person typed it.

    Args:
        value: what was given.
        longest: most characters, after cleaning.
        lines: keep line breaks (a long text); otherwise they become spaces.

    Returns:
        The text in Unicode form NFC, without spaces at its ends and without direction marks.

    Raises:
        WrongValue: not a text ("not_text"), a lone surrogate ("broken_text"), a control character
            ("control_character"), a direction override ("direction_override"), or too long ("too_long").
    """
    if not isinstance(value, str):
        raise WrongValue("not_text")
    if len(value) > longest * 4 + 64:
        raise WrongValue("too_long", longest=longest)
    if not value.isascii():
        value = _clean_wide(value)
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROLS.search(text):
        raise WrongValue("control_character")
    text = text.strip() if lines else " ".join(text.split())
    if len(text) > longest:
        raise WrongValue("too_long", longest=longest)
    return text


def _clean_wide(value: str) -> str:
    if _SURROGATES.search(value):
        raise WrongValue("broken_text")
    if _BIDI.search(value):
        raise WrongValue("direction_override")
    text = _ODD_SPACES.sub(" ", _MARKS.sub("", value)).replace("\u2028", "\n").replace("\u2029", "\n")
    return unicodedata.normalize("NFC", text)
