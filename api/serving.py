"""Web service and runner together: two child processes, stopped together.

    python -m api.serving            both, until Ctrl-C
    python -m api.serving web        the web service alone
    python -m api.serving runner     the runner alone

The parent does nothing but start, watch and stop them. When one of them ends by itself the other is stopped too, so
that nobody takes half a service for a whole one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from api.app import create_app
from nrm.config import BadSetting, Config, read_config
from nrm.worker.loop import Runner

DEFAULT_PORT: Final = 8000
QUIET_SECONDS: Final = 3.0
"""How long requests in hand may take to end, and browsers to close their connections, once it is to stop."""
STOP_SECONDS: Final = 20.0
"""How long the children may take to end after that."""

_WEB, _RUNNER, _CHILD = "web", "runner", "--child"
_PR_SET_PDEATHSIG: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotServe(Exception):
    """The service cannot be started here; the text says what to do."""


def port_of(env: Mapping[str, str]) -> int:
    """Give the port on which the service is to listen.

    Raises:
        BadSetting: PORT is no port.
    """
    text = env.get("PORT", "") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise BadSetting("PORT: write a number from 1 to 65535")
    return int(text)


def host_of(env: Mapping[str, str]) -> str:
    """Give the address on which the service is to listen; this machine only, unless HOST says otherwise."""
    return env.get("HOST", "") or "127.0.0.1"


def check_port(host: str, port: int) -> None:
    """Stop early, and with a sentence, where somebody listens already.

    Raises:
        CannotServe: the address is taken or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                f"{host}:{port}: {error.strerror}. Choose another port, for example PORT={port + 1}"
            ) from error


def serve(env: Mapping[str, str], *, when_ready: Callable[[], None] = lambda: None) -> int:
    """Run web service and runner until a signal comes or one of them ends.

    Args:
        env: the environment of both; PORT and HOST say where to listen.
        when_ready: called once the web service accepts connections.

    Returns:
        Exit status: 0 after a signal, 1 when a child ended by itself.

    Raises:
        CannotServe: the address is taken.
        BadSetting: PORT is no port.
    """
    host, port = host_of(env), port_of(env)
    check_port(host, port)
    with _Signals() as signals:
        children = [_start(part, env) for part in (_WEB, _RUNNER)]
        try:
            told = False
            while not signals.seen and all(child.poll() is None for child in children):
                if not told and _accepts(host, port):
                    told = True
                    when_ready()
                time.sleep(0.1)
            return 0 if signals.seen else 1
        finally:
            _stop(children)


class _Signals:
    """Notes that somebody asked to stop, instead of dying of it."""

    def __init__(self) -> None:
        self.seen = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Signals:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.seen = True


def _start(part: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A group of their own: Ctrl-C reaches this process alone, which stops them in an orderly way.
    command = [sys.executable, "-m", "api.serving", part, _CHILD]
    return subprocess.Popen(command, env=dict(env), process_group=0)  # noqa: S603 - our own program


def _end_with_parent() -> None:
    """Ask the system to end this process when the one that started it is killed; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def run_web(env: Mapping[str, str]) -> None:
    """Become the web service: gunicorn takes this process's place.

    Args:
        env: PORT and HOST say where to listen.
    """
    host, port = host_of(env), port_of(env)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    settings = Path(__file__).with_name("gunicorn_conf.py")
    command = ["-m", "gunicorn", "-c", str(settings), "-b", bind, "api.wsgi:app"]
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606 - our own program


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Stop all: gently, then without waiting for browsers that keep a connection open, at last by force."""
    _send(children, signal.SIGTERM)
    if _all_end(children, QUIET_SECONDS):
        return
    _send(children, signal.SIGINT)
    if _all_end(children, STOP_SECONDS):
        return
    for child in children:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _send(children: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)


def _all_end(children: Sequence[subprocess.Popen[bytes]], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(child.poll() is None for child in children):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def run_runner(config: Config) -> None:
    """Run the runner in this process until a signal comes."""
    app = create_app(config)
    runner = Runner(app.app_context, threads=config.worker_threads, poll_seconds=config.worker_poll_seconds)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: runner.stop())
    runner.run()


def main(arguments: Sequence[str]) -> int:
    """Start from the command line; gives the exit status."""
    try:
        if _CHILD in arguments:
            _end_with_parent()
        if _RUNNER in arguments:
            run_runner(read_config(os.environ))
        elif _WEB in arguments:
            run_web(os.environ)
        else:
            return serve(os.environ)
    except (BadSetting, CannotServe) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
