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
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.smoke import free_port, processes_of

ROOT = Path(__file__).parents[2]
START_SECONDS = 240


@dataclass
class Service:
    """A demonstration that can lose its power and get it back."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        folder = str(self.folder / "data")
        env = {**os.environ, "PORT": str(self.port), "NRM_DATA_DIR": folder, "NRM_DEMO": "1"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.demo"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(self.process, self.address, self.folder / "log")

    def end(self) -> None:
        """End it as one does, by an interrupt."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def lose_power(self) -> None:
        """Kill each of its processes at once."""
        assert self.process is not None
        for pid in processes_of(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None


@contextmanager
def demonstration(folder: Path) -> Iterator[str]:
    """Give the address of a demonstration made in a folder; NRM_BROWSER_AT names one that runs already."""
    if running := os.environ.get("NRM_BROWSER_AT"):
        yield running
        return
    with service_of_ones_own(folder) as service:
        yield service.address


@contextmanager
def service_of_ones_own(folder: Path) -> Iterator[Service]:
    """Make a demonstration in a folder that nobody else uses."""
    service = Service(folder=folder, port=free_port())
    try:
        service.start()
        yield service
    finally:
        service.end()


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
