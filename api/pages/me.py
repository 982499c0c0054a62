"""Who one is: seats, language, password, and where one is signed in."""

from __future__ import annotations

from flask import Response

from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from nrm.actions import sign_in as actions
from nrm.errors import NotFound, NotValid
from nrm.queries import packs, users

me = Pages("me")


@me.get("/me")
def show_me(visit: Visit) -> Answer:
    """Show the reader's own account."""
    done = visit.query.get("done")
    return _account(visit, done=done if done in {"password", "sessions"} else None)


def _account(visit: Visit, *, done: str | None = None, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    return visit.show(
        "me/me.html",
        status=422 if problems else 200,
        me=users.me(visit.actor, visit.now),
        sessions=users.my_sessions(visit.actor, actions.real_now()),
        roles=packs.pack().role_names,
        languages=own_names(),
        done=done,
        problems=problems,
    )


@me.post("/me/password")
def change_password(visit: Visit) -> Answer:
    """Change one's own password; one's other sessions end."""
    new = visit.form.get("new", "")
    if new != visit.form.get("again", ""):
        return _account(visit, problems=(("again", visit.words.t("me.not_the_same")),))
    current = visit.form.get("current", "")
    try:
        actions.change_password(visit.actor, current=current, new=new, session_id=visit.session_id)
    except NotValid as error:
        told = tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)
        return _account(visit, problems=told)
    return see("/me?done=password")


@me.post("/me/sessions/<session_id>/end")
def end_session(visit: Visit, session_id: str) -> Answer:
    """End one of one's own sessions; one that has ended already is no mistake."""
    try:
        actions.end_session(visit.actor, session_id)
    except NotFound:
        return see("/me#sessions")
    return see("/me?done=sessions#sessions")


@me.post("/me/sessions/end-others")
def end_others(visit: Visit) -> Answer:
    """End all sessions but this one."""
    actions.end_all_sessions(visit.actor, but=visit.session_id)
    return see("/me?done=sessions#sessions")
