import pytest
from flask import Flask

from tests.installations import Installed


@pytest.fixture
def app(installed: Installed) -> Flask:
    return installed.app
