"""What people say about a draft or about one element of it, until it is settled."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.errors import Conflict, NotFound, NotValid, Problem
from nrm.models import PathComment, PathDraft
from nrm.queries.path_drafts import OPEN, must_see
from nrm.rules.texts import WrongValue, clean_text

LONGEST_COMMENT: Final = 2000
MOST_COMMENTS: Final = 500


@action("path_comment.add")
def add_comment(work: Work, draft_id: str, *, text: str, element: str | None = None) -> str:
    """Say something about an open draft, and give the comment's id.

    Args:
        work: the transaction.
        draft_id: the draft.
        text: what is said.
        element: id of an element of the diagram; None for the whole draft.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
        NotValid: the text is empty or cannot be stored, or the element is no id.
        Conflict: "draft_closed" when it was published or discarded.
    """
    must_see(work.actor)
    row = work.session.execute(select(PathDraft.status).where(PathDraft.id == draft_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    if row.status not in OPEN:
        raise Conflict("draft_closed")
    said = _clean(text)
    if element is not None and not (0 < len(element) <= 64 and element.isprintable()):
        raise NotValid([Problem(pointer="/element", code="not_an_id")])
    count = select(func.count()).select_from(PathComment).where(PathComment.draft_id == draft_id)
    if work.session.execute(count).scalar_one() >= MOST_COMMENTS:
        raise NotValid([Problem(pointer="", code="too_many_entries", params={"most": MOST_COMMENTS})])
    return work.add(
        PathComment,
        id=ids.new_id("pcm"),
        draft_id=draft_id,
        element=element,
        text=said,
        created_at=work.now,
        created_by=work.actor.id,
    )


def _clean(text: str) -> str:
    try:
        said = clean_text(text, longest=LONGEST_COMMENT, lines=True)
    except WrongValue as wrong:
        raise NotValid([Problem(pointer="/text", code=wrong.code, params=wrong.params)]) from None
    if not said:
        raise NotValid([Problem(pointer="/text", code="required")])
    return said


@action("path_comment.resolve")
def resolve_comment(work: Work, comment_id: str) -> None:
    """Say that a comment is settled; doing it again changes nothing.

    Raises:
        NotFound: there is no such comment.
        NotAllowed: the actor may not see drafts.
    """
    must_see(work.actor)
    found = work.session.execute(
        select(PathComment.resolved_at).where(PathComment.id == comment_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    if found.resolved_at is None:
        work.change(PathComment, comment_id, resolved_at=work.now, resolved_by=work.actor.id)
