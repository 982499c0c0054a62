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


class IncomingQuery(Paged):
    """Which letters that came in to list."""

    desk = Id()
    case = Id()
    unlinked = Flag(from_text=True, load_default=False)


class RegisterIncoming(Body):
    """A letter that came in; the sender by id where the directory has it, else by name."""

    desk_id = Id(required=True)
    received_on = Day(required=True)
    subject = Text(longest=500, shortest=1, required=True)
    organisation_id = Id(allow_none=True)
    sender = Text(longest=200, allow_none=True)
    their_number = Text(longest=40, allow_none=True)
    dated = Day(allow_none=True)


class LinkIncoming(Versioned):
    """The case to which a letter that came in belongs, and our letter which it answers."""

    case_id = Id(required=True)
    referral_id = Id(allow_none=True)
    letter_id = Id(allow_none=True)
    answer = Choice(LetterAnswer, allow_none=True)
    reason = Code(allow_none=True)
    note = Text(longest=5_000, lines=True, allow_none=True)
