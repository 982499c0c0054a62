"""The bytes of documents, in the data folder: sealed, under random names, readable by the service alone.

A file is there before the row that names it is committed, and a file that no row names is swept away later. So a row
never names a file that was not there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from nrm.sealing import seal_bytes, unseal_bytes

FOLDER: Final = "documents"


def store(data_dir: Path, content: bytes, *, row: str, column: str) -> str:
    """Write a file and make sure that it is on the disk.

    Args:
        data_dir: the installation's data folder.
        content: the bytes.
        row: id of the row that will name it.
        column: "table.column" that the bytes stand for.

    Returns:
        The name under which `fetch` finds it.
    """
    name = secrets.token_hex(20)
    path = _path(data_dir, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(seal_bytes(content, row=row, column=column))
        file.flush()
        os.fsync(file.fileno())
    return name


def fetch(data_dir: Path, name: str, *, row: str, column: str) -> bytes | None:
    """Read a file again; None when it is gone.

    Args:
        data_dir: the installation's data folder.
        name: from `store`.
        row: id of the row that names it.
        column: as it was stored.
    """
    try:
        return unseal_bytes(_path(data_dir, name).read_bytes(), row=row, column=column)
    except FileNotFoundError:
        return None


def remove(data_dir: Path, name: str) -> None:
    """Remove a file; one that is gone already is no trouble."""
    with suppress(FileNotFoundError):
        _path(data_dir, name).unlink()


def stored(data_dir: Path, *, before: datetime) -> Iterator[str]:
    """List the names of the files that were written before a moment."""
    for path in (data_dir / FOLDER).glob("??/*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                yield path.name


def _path(data_dir: Path, name: str) -> Path:
    return data_dir / FOLDER / name[:2] / name
