"""What comes in about letters."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Day, Flag, Id, Paged, Text, Versioned
from nrm.rules.letters import DIGITS, LETTER_LANGUAGES
from nrm.vocabulary import LetterAnswer


class LetterQuery(Paged):
    """Which letters to list."""

    case = Id()
    referral = Id()
    unanswered = Flag(from_text=True, load_default=False)


class RegisterLetter(Body):
    """A letter about a case to an organisation."""

    template = Code(required=True)
    organisation_id = Id(required=True)
    language = Choice(LETTER_LANGUAGES, allow_none=True)
    digits = Choice(list(DIGITS), allow_none=True)


class RecordAnswer(Versioned):
    """What an office wrote back, with the incoming number and date of its letter."""

    answer = Choice(LetterAnswer, required=True)
    number = Text(longest=40, shortest=1, required=True)
    dated = Day(required=True)
    reason = Code(allow_none=True)
    note = Text(longest=5_000, lines=True, allow_none=True)
