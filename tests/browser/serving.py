"""A demonstration that runs while somebody looks at it, and the Chromium of the system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.smoke import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 240


@contextmanager
def demonstration(folder: Path) -> Iterator[str]:
    """Give the address of a demonstration made in a folder; NRM_BROWSER_AT names one that runs already."""
    if running := os.environ.get("NRM_BROWSER_AT"):
        yield running
        return
    port = free_port()
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


@contextmanager
def system_chromium() -> Iterator[Browser]:
    """Start Chromium as the system has it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()
