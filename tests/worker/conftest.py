from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.installed import installed


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    with installed(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield
