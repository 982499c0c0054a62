"""Complaints: they come to the desk for complaints, never through the desk that works on the case."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work, action
from nrm.actions.runs import begin
from nrm.errors import NotFound
from nrm.models import Case

COMPLAINT_PATH: Final = "complaint"
"""Key of the path that complaints follow, in every country."""


@action("complaint.start", permission="complaint.handle")
def start_complaint(work: Work, case_number: str, *, path: str = COMPLAINT_PATH) -> str:
    """Start the path of complaints for a case that the actor need not know of.

    Nothing of the case is shown: whoever takes the complaint down has its number from the one who complains. The
    path keeps itself apart from the case's own desk, so a complaint about that desk does not reach it. A complaint
    about a closed case is taken down like any other.

    Args:
        work: the transaction.
        case_number: the case's number, as on its papers.
        path: key of the path to start.

    Returns:
        The run's id.

    Raises:
        NotFound: no case has this number.
        IllegalMove: when the path cannot start; nothing was written for it.
    """
    return begin_complaint(work, case_number, path=path)


def begin_complaint(work: Work, case_number: str, *, path: str = COMPLAINT_PATH) -> str:
    """Start the path of complaints for a case, inside an action.

    Raises:
        NotFound: no case has this number.
        IllegalMove: when the path cannot start.
    """
    known = select(Case.id).where(Case.number == case_number.strip().upper(), Case.livemode.is_(work.actor.livemode))
    case_id = work.session.execute(known).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    return begin(work, work.lock_case(case_id), path)
