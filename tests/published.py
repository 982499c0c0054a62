"""Put a small diagram into the database as a published path, past the loader, for one test."""

from __future__ import annotations

import hashlib

from sqlalchemy import insert, select

from nrm import ids
from nrm.db import db
from nrm.models import FormVersion, Path, PathVersion
from tests.engine.diagrams import diagram
from tests.world import World


def publish(land: World, key: str, body: str, *, root: str = "") -> str:
    """Publish a path made of elements (see `tests.engine.diagrams`), and give its key; testland's forms are there."""
    path_id, version_id = ids.new_id("pth"), ids.new_id("ver")
    text = diagram(body, root=root, key=key).decode()
    now = land.clock.now()
    with db.engine.begin() as connection:
        forms = {row.key: row.id for row in connection.execute(select(FormVersion.key, FormVersion.id))}
        connection.execute(insert(Path).values(id=path_id, key=key, names={"en": key}, latest_id=version_id))
        connection.execute(
            insert(PathVersion).values(
                id=version_id,
                path_id=path_id,
                number=1,
                status="published",
                diagram=text,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
                forms=forms,
                resources={"settings": {}, "tables": {}, "call_tables": {}},
                created_at=now,
                created_by="system",
                published_at=now,
                published_by="system",
            )
        )
    return key
