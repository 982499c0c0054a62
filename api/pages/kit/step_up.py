"""A code of the second factor in the middle of a visit, without losing what was typed.

The page that asks for the code carries what was sent, and sends it again with the code to the same address; there the
code is checked first, the session gets a new secret, and the visit goes on as if the code had been fresh all along.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import Response, g, make_response, request
from werkzeug.datastructures import MultiDict

from api.security.sessions import give_cookie, secret_of
from nrm.actions.step_up import step_up
from nrm.errors import NotValid, NrmError, TooMany

if TYPE_CHECKING:
    from api.pages.kit.visits import Answer, Visit

CODE: Final = "step_up_code"
"""Name of the field of the code."""


def carries_code() -> bool:
    """Say whether a request brings a code with what it asks."""
    return request.method == "POST" and CODE in request.form


def prove(visit: Visit) -> Visit:
    """Check the code that a request brings, and give the visit with a proven actor.

    Raises:
        NotValid: the code is wrong or was used.
        TooMany: too many wrong codes.
    """
    g.fresh_secret = step_up(
        visit.actor,
        secret=secret_of(request),
        code=request.form.get(CODE, "")[:24],
        address=request.remote_addr or "",
    )
    form = MultiDict([(name, value) for name, value in request.form.items(multi=True) if name != CODE])
    return replace(visit, actor=replace(visit.actor, proven=True), form=form)


def ask(visit: Visit, address: str, *, error: NrmError | None = None, wished: bool = False) -> Response:
    """Show the page that asks for a code.

    Args:
        visit: whose request needs one.
        address: where it goes on.
        error: what was wrong with the code that was typed.
        wished: the visitor came to type a code; nothing was refused.
    """
    wrong = ""
    if error is not None:
        first = error.problems[0] if isinstance(error, NotValid) else error
        wrong = visit.problem(first.code, first.params)
    posted = request.method == "POST"
    kept = request.form.items(multi=True) if posted else ()
    answer = visit.show(
        "session/step_up.html",
        status=429 if isinstance(error, TooMany) else 422 if error is not None else 200 if wished else 403,
        action=address if posted else "/step-up",
        next_page="" if posted else address,
        kept=[(name, value) for name, value in kept if name not in {CODE, "token"}],
        field=CODE,
        has_files=bool(posted and any(one.filename for one in request.files.values())),
        wrong=wrong,
    )
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def with_cookie(answer: Answer) -> Answer:
    """Put the session's new secret into the cookie where a code was just checked."""
    fresh = g.get("fresh_secret")
    return answer if fresh is None else give_cookie(make_response(answer), request, fresh)
