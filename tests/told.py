"""Facts that organisations are told of, written as they would be, without all that leads to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select

from nrm import ids
from nrm.db import WRITING, db
from nrm.events import chain_hash
from nrm.models import Event, EventHead, Service


def providers() -> list[tuple[str, str]]:
    """Give organisations with a service of each."""
    rows = db.session.execute(select(Service.organisation_id, Service.id).order_by(Service.code)).all()
    db.session.remove()
    known: dict[str, str] = {}
    for organisation_id, service_id in rows:
        known.setdefault(organisation_id, service_id)
    return list(known.items())


def happen(now: datetime, organisation_id: str, service_id: str, count: int = 1) -> list[str]:
    """Let so many things happen to an organisation in one transaction, and give the ids of the events."""
    rows = [_row(now, organisation_id, service_id) for _ in range(count)]
    heads = [{"stream": row["stream"], "seq": 1, "hash": row["hash"]} for row in rows]
    with db.engine.connect().execution_options(**WRITING) as connection, connection.begin():
        connection.execute(insert(Event.__table__), rows)
        connection.execute(insert(EventHead.__table__), heads)
    return [str(row["id"]) for row in rows]


def _row(now: datetime, organisation_id: str, service_id: str) -> dict[str, object]:
    stream, kind, subject = ids.new_id("tst"), "service.capacity_changed", ("service", service_id)
    return {
        "stream": stream,
        "seq": 1,
        "id": ids.new_id("evt"),
        "at": now,
        "kind": kind,
        "actor": "system",
        "organisation_id": organisation_id,
        "sender_id": None,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "data": {},
        "prev_hash": "",
        "hash": chain_hash("", stream=stream, seq=1, at=now, kind=kind, actor="system", subject=subject, data={}),
    }
