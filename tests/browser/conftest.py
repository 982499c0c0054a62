"""A running demonstration and people before it, each with a browser of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.serving import demonstration, system_chromium
from tests.browser.visitor import Visitor, open_context


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a demonstration that was just made."""
    with demonstration(tmp_path_factory.mktemp("browser")) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium as the system has it."""
    with system_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    """Cookies and language by who signed in, so that everybody signs in once."""
    return {}


@pytest.fixture
def visit(address: str, chromium: Browser, signed_in: dict[str, Any]) -> Iterator[Callable[..., Visitor]]:
    """Open a browser for somebody: `visit("handler.baghdad", "ar")`; "" for nobody. Afterwards nothing went wrong."""
    opened: list[Visitor] = []

    def open_one(login: str = "", language: str = "en", **how: Any) -> Visitor:
        known = signed_in.setdefault(login, {"cookies": None, "language": "" if login else language})
        context = open_context(chromium, address, language, storage_state=known["cookies"], **how)
        visitor = Visitor(context=context, page=context.new_page(), language=language)
        opened.append(visitor)
        visitor.watch()
        if login and not known["cookies"]:
            visitor.sign_in(login)
            known["cookies"] = context.storage_state()
        if login and known["language"] != language:
            visitor.read_in(language)
            known["language"] = language
        return visitor

    yield open_one
    for one in opened:
        one.context.close()
    assert [said for one in opened for said in one.complaints] == []
