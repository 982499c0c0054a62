"""Messages between the runs of a case: handed over, kept until somebody waits, told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select

from nrm import ids
from nrm.actions.inputs import Input, values_from_json, values_to_json
from nrm.actions.run_book import RunBook
from nrm.actions.run_effects import apply_waiting
from nrm.engine import effects as fx
from nrm.engine.effects import SIGNAL
from nrm.models import InboxMessage, Subscription

MESSAGE_TTL: Final = timedelta(days=30)
"""How long a message waits for a run that wants it."""


_KEPT: Final = (
    select(InboxMessage)
    .where(
        InboxMessage.correlation.in_(bindparam("places", expanding=True)),
        InboxMessage.name.in_(bindparam("names", expanding=True)),
        InboxMessage.status == "waiting",
    )
    .order_by(InboxMessage.received_at)
)


def deliver_kept(book: RunBook) -> None:
    """Hand over messages that came before anybody waited for them.

    A word to the whole case is for the runs that there were when it came: one that begins later is not ended
    by a consent that was withdrawn, or an arrival that was reported, before it.
    """
    subscribed, book.subscribed = book.subscribed, []
    if not subscribed:
        return
    book.work.flush()
    names = {effect.message for _, effect in subscribed}
    places = {run.id for run, _ in subscribed} | {book.case.id}
    kept = book.work.session.execute(_KEPT, {"places": sorted(places), "names": sorted(names)}).scalars()
    for message in kept:
        for run, effect in subscribed:
            wanted = run.id if effect.correlation == "run" else book.case.id
            fits = message.name == effect.message and message.correlation == wanted
            if fits and message.status == "waiting" and run.started_at <= message.received_at:
                message.status, message.delivered_to = "delivered", run.id
                values = values_from_json(message.decision_values)
                book.give(run, Input(kind="message", token=effect.token, values=values))


def deliver_thrown(book: RunBook) -> None:
    """Hand over the messages that paths threw."""
    thrown, book.thrown = book.thrown, []
    for run, effect in thrown:
        target = run.parent_id if effect.correlation == "run" else None
        send(book, effect.message, values=effect.values, run_id=target, message_id=ids.new_id("msg"), sender=run.id)


def send(
    book: RunBook, name: str, *, values: fx.Values, run_id: str | None, message_id: str, sender: str | None = None
) -> bool:
    """Give a message to everybody who waits for it, or keep it.

    Args:
        book: the runs in work.
        name: message name.
        values: its decision values.
        run_id: the run that it is for; None for the case.
        message_id: the sender's id of it; the same id again changes nothing.
        sender: the run that threw it, which does not hear itself: its own waiting signals have been served.

    Returns:
        Whether somebody took it. A signal is heard by those who wait for it now and is never kept for later.
    """
    book.work.flush()
    place = run_id or book.case.id
    session = book.work.session
    known = select(InboxMessage.id).where(InboxMessage.correlation == place, InboxMessage.message_id == message_id)
    if session.execute(known).first() is not None:
        return True
    found = session.execute(
        select(Subscription.run_id, Subscription.token)
        .where(Subscription.correlation == place, Subscription.message == name)
        .where(Subscription.run_id != (sender or ""))
        .order_by(Subscription.created_at, Subscription.id)
    ).all()
    if not found and name.startswith(SIGNAL):
        return False
    book.work.add(
        InboxMessage,
        id=ids.new_id("msg"),
        case_id=book.case.id,
        name=name,
        correlation=place,
        message_id=message_id,
        decision_values=values_to_json(values),
        status="delivered" if found else "waiting",
        received_at=book.work.now,
        expires_at=book.work.now + MESSAGE_TTL,
        delivered_to=found[0][0] if found else None,
    )
    for target, token in found:
        _hand_over(book, target, token, values)
    return bool(found)


def _hand_over(book: RunBook, run_id: str, token: str, values: fx.Values) -> None:
    # An earlier receiver of the same message may have ended this one (a parent cancels its children).
    book.work.flush()
    still = select(Subscription.id).where(Subscription.run_id == run_id, Subscription.token == token)
    if book.work.session.execute(still).first() is None:
        return
    book.give(book.load(run_id), Input(kind="message", token=token, values=values))
    apply_waiting(book)
