"""A running demonstration and people before it, each with a browser of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import Visitor, open_context
from tests.smoke import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 240


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a demonstration that was just made; NRM_BROWSER_AT names one that runs already."""
    if running := os.environ.get("NRM_BROWSER_AT"):
        yield running
        return
    folder, port = tmp_path_factory.mktemp("browser"), free_port()
    env = {**os.environ, "PORT": str(port), "NRM_DATA_DIR": str(folder / "data"), "NRM_DEMO": "1"}
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            [sys.executable, "-m", "api.demo"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(service, f"http://127.0.0.1:{port}", folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(service.pid, signal.SIGINT)
        service.wait(30)


def wait_for(service: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until the service is ready."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address + "/readyz", timeout=5):
                return
        except OSError:
            assert service.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.3)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium as the system has it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


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
