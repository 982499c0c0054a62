"""Answers to letters: a clerk records what the office wrote; the referral or the path goes on by it."""

from __future__ import annotations

from datetime import date
from typing import Final

from nrm.actions import referral_loading, referral_moves, runs
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.letters import LetterResult, letter_result, load_letter
from nrm.actions.referral_changes import Given
from nrm.errors import IllegalMove, NotAllowed, NotValid, Problem, StaleVersion
from nrm.models import Case, Letter
from nrm.queries import packs
from nrm.rules.texts import WrongValue, clean_text, fold_digits
from nrm.sealing import seal
from nrm.vocabulary import LetterAnswer

VERBS: Final = {
    LetterAnswer.RECEIVED: "acknowledge",
    LetterAnswer.AGREED: "accept",
    LetterAnswer.REFUSED: "decline",
}
"""What an office's answer is for the referral that the letter carried."""

ANSWERED: Final = "letter.answered"
"""The message by which a waiting path hears of an answer."""


@action("letter.record_answer", permission="letter.register")
def record_answer(
    work: Work,
    letter_id: str,
    *,
    answer: str,
    number: str,
    dated: date,
    reason: str | None = None,
    note: str | None = None,
    version: int | None,
) -> LetterResult:
    """Record what an office wrote back, with the incoming number and date that the clerk gave its letter.

    An acknowledgement may be followed by the answer itself; what was agreed or refused is the last word.

    Args:
        work: the transaction.
        letter_id: the letter that is answered.
        answer: received, agreed or refused.
        number: incoming number, at most 40 characters.
        dated: the day on which it came in.
        reason: why a referral is refused, a code of its reasons for declining.
        note: a few words on a referral's answer; sealed.
        version: the version of the letter that the actor saw.

    Raises:
        NotFound: there is no such letter, or its case is not the actor's to know of.
        NotAllowed: the actor may only read the case, or has no part in the referral.
        NotValid: the answer, number, date or reason cannot be right.
        IllegalMove: it was answered before, or the referral does not wait for this answer.
        StaleVersion: it changed since.
    """
    letter = load_letter(work, letter_id)
    case = lock_visible_case(work, letter.case_id, writing=True)
    work.session.refresh(letter, with_for_update=True)
    if version is not None and letter.version != version:
        raise StaleVersion(letter.version)
    return write_answer(
        work, case, letter, answer=answer, number=number, dated=dated, given=Given(reason=reason, note=note)
    )


def write_answer(
    work: Work, case: Case, letter: Letter, *, answer: str, number: str, dated: date, given: Given
) -> LetterResult:
    """Write an answer to a letter and let the referral or the path go on, inside an action that has locked both.

    Args:
        work: the transaction.
        case: the locked case.
        letter: the locked letter.
        answer: received, agreed or refused.
        number: incoming number.
        dated: the day on which it came in.
        given: what goes with the referral's verb.

    Raises:
        NotAllowed: the actor has no part in the referral.
        NotValid: the answer, number, date or reason cannot be right.
        IllegalMove: it was answered before, or the referral does not wait for this answer.
    """
    if letter.answer in {LetterAnswer.AGREED, LetterAnswer.REFUSED}:
        raise IllegalMove((), "letter_answered")
    said, clean = _checked(work, letter, answer=answer, number=number, dated=dated)
    letter.answer, letter.answer_date = str(said), dated
    letter.answer_number = seal(clean, row=letter.id, column="letters.answer_number")
    letter.answered_at, letter.answered_by = work.now, work.actor.id
    letter.version += 1
    work.record(
        "letter.answered",
        stream=case.id,
        subject=("letter", letter.id),
        data={"answer": str(said)},
        organisation_id=letter.to_organisation_id,
    )
    work.session.flush()
    _go_on(work, case, letter, said, number=clean, given=given)
    return letter_result(letter)


def _checked(work: Work, letter: Letter, *, answer: str, number: str, dated: date) -> tuple[LetterAnswer, str]:
    problems = []
    clean = ""
    if answer not in set(LetterAnswer):
        problems.append(Problem(pointer="/answer", code="unknown_code"))
    try:
        clean = fold_digits(clean_text(number, longest=40))
        if not clean:
            problems.append(Problem(pointer="/number", code="required"))
    except WrongValue as error:
        problems.append(Problem(pointer="/number", code=error.code, params=error.params))
    if dated < letter.dated or dated > work.now.astimezone(packs.pack().zone).date():
        problems.append(Problem(pointer="/dated", code="answer_date_impossible"))
    if problems:
        raise NotValid(problems)
    return LetterAnswer(answer), clean


def _go_on(work: Work, case: Case, letter: Letter, answer: LetterAnswer, *, number: str, given: Given) -> None:
    if letter.referral_id is not None:
        loaded = referral_loading.load_referral(work, letter.referral_id)
        if not loaded.parties:
            raise NotAllowed("not_your_referral")
        referral_moves.perform_loaded(work, loaded, VERBS[answer], given)
        work.session.flush()
    elif letter.run_id is not None and answer is not LetterAnswer.RECEIVED:
        runs.send_message(
            work,
            case,
            ANSWERED,
            values={"answer": str(answer), "letter_number": number},
            run_id=letter.run_id,
            message_id=f"{letter.id}:{letter.version}",
        )
