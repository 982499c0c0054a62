"""What the product is held against: bare SpiffWorkflow with its whole state in one JSON blob, and empty commits."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import psycopg
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from nrm.countries import Json
from tests.load.stages import durable_server, libpq


class Shelf(Protocol):
    """A table of texts by number, each writing a commit of its own that is on the disk when it returns."""

    def put(self, number: int, text: str) -> None:
        """Insert a text."""

    def get(self, number: int) -> str:
        """Read a text."""

    def replace(self, number: int, text: str) -> None:
        """Write a text over the old one."""

    def touch(self) -> None:
        """Commit next to nothing: one number in one row."""

    def close(self) -> None:
        """Forget all texts."""


class SqliteShelf:
    """A file with the product's own pragmas."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "shelf.sqlite3"
        self._path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE shelf (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        self._connection.execute("CREATE TABLE counter (value INTEGER NOT NULL)")
        self._connection.execute("INSERT INTO counter VALUES (0)")

    def put(self, number: int, text: str) -> None:
        self._connection.execute("INSERT INTO shelf VALUES (?, ?)", (number, text))

    def get(self, number: int) -> str:
        return str(self._connection.execute("SELECT text FROM shelf WHERE number = ?", (number,)).fetchone()[0])

    def replace(self, number: int, text: str) -> None:
        self._connection.execute("UPDATE shelf SET text = ? WHERE number = ?", (text, number))

    def touch(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("UPDATE counter SET value = value + 1")
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
        self._path.unlink(missing_ok=True)


class PostgresShelf:
    """A table on the same server as the product's."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(libpq(durable_server()))
        self._connection.execute("CREATE TABLE IF NOT EXISTS shelf (number integer PRIMARY KEY, text text NOT NULL)")
        self._connection.execute("TRUNCATE shelf")
        self._connection.execute("CREATE TABLE IF NOT EXISTS counter (value integer NOT NULL)")
        self._connection.execute("TRUNCATE counter")
        self._connection.execute("INSERT INTO counter VALUES (0)")
        self._connection.commit()

    def put(self, number: int, text: str) -> None:
        self._connection.execute("INSERT INTO shelf VALUES (%s, %s)", (number, text))
        self._connection.commit()

    def get(self, number: int) -> str:
        row = self._connection.execute("SELECT text FROM shelf WHERE number = %s", (number,)).fetchone()
        return str(row[0]) if row else ""

    def replace(self, number: int, text: str) -> None:
        self._connection.execute("UPDATE shelf SET text = %s WHERE number = %s", (text, number))
        self._connection.commit()

    def touch(self) -> None:
        self._connection.execute("UPDATE counter SET value = value + 1")
        self._connection.commit()

    def close(self) -> None:
        self._connection.execute("DROP TABLE shelf")
        self._connection.execute("DROP TABLE counter")
        self._connection.commit()
        self._connection.close()


def shelf(kind: str, folder: Path) -> Shelf:
    """Open an empty shelf on one kind of database."""
    return SqliteShelf(folder) if kind == "sqlite" else PostgresShelf()


class BareSpiff:
    """SpiffWorkflow as its documentation has it: parse, run, keep everything in one JSON text, spec and all."""

    def __init__(self, diagram: bytes, key: str, kept: Shelf) -> None:
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(diagram), filename=key)
        self._spec, self._subs = parser.get_spec(key), parser.get_subprocess_specs(key)
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        self._shelf = kept
        self._last = 0

    def start(self) -> int:
        """Start a run, and give its number."""
        workflow = BpmnWorkflow(self._spec, self._subs)
        workflow.do_engine_steps()
        self._last += 1
        self._shelf.put(self._last, self._serializer.serialize_json(workflow))
        return self._last

    def complete(self, number: int, answers: Mapping[str, Json]) -> None:
        """Complete the human step that waits, in one commit."""
        workflow = self._serializer.deserialize_json(self._shelf.get(number))
        task = next(iter(workflow.get_tasks(state=TaskState.READY, manual=True)))
        task.data.update(answers)
        task.run()
        workflow.refresh_waiting_tasks()
        workflow.do_engine_steps()
        self._shelf.replace(number, self._serializer.serialize_json(workflow))

    def size(self, number: int) -> int:
        """Give the bytes of a stored run."""
        return len(json.dumps(json.loads(self._shelf.get(number))))
