"""The bare endpoint: Flask and SQLAlchemy's own session read one row, update it, insert two and commit. Nothing else.

`NRM_DATABASE_URL` names its database. SQLite is opened as the product opens it, since a bare file would either lose
commits in a power cut or refuse half of what two processes write at once.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify, request
from sqlalchemy import JSON, DateTime, ForeignKey, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from nrm.db import WRITING, engine_options, prepare_engine


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "bare_items"
    id: Mapped[str] = mapped_column(String(31), primary_key=True)
    status: Mapped[str] = mapped_column(String(12))
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int]


class Fact(Base):
    __tablename__ = "bare_facts"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("bare_items.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Errand(Base):
    __tablename__ = "bare_errands"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("bare_items.id"), index=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


def url() -> str:
    """Give the database's URL as SQLAlchemy wants it."""
    return os.environ["NRM_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")


app = Flask("bare")
engine = create_engine(url(), **engine_options(url(), pool_size=5))
prepare_engine(engine)
Session = sessionmaker(engine, expire_on_commit=False)


@app.post("/items/<item_id>/complete")
def complete(item_id: str) -> Response:
    """Complete an item."""
    given = request.get_json()
    with Session() as session:
        session.connection(execution_options=WRITING)
        item = session.get_one(Item, item_id)
        now = datetime.now(UTC)
        item.status, item.answers, item.version = "completed", given["answers"], item.version + 1
        session.add(Fact(item_id=item_id, kind="completed", at=now))
        session.add(Errand(item_id=item_id, due_at=now))
        session.commit()
        return jsonify(id=item.id, version=item.version)
