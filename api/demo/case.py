"""`python -m api.demo.case`: one case over HTTP, from an arrival list to its end, and how it went.

Uses the service that listens at HOST and PORT; where none does, it starts one in a folder of its own and stops it
again. The last line names the closed case; the exit status is 0 only then.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson

from api.demo.browser import Refused, over_http
from api.demo.walk import Script, Walk, WentWrong
from api.demo.walking import begin, finish, take_step, timeline
from api.serving import host_of, port_of
from nrm.config import BadSetting, read_config
from nrm.demo.stories import FOLDER, BadStory, read_demo

START_SECONDS: Final = 180.0
STOP_SECONDS: Final = 40.0


def main(env: Mapping[str, str]) -> int:
    """Walk the case; gives the exit status.

    Args:
        env: PORT and HOST of a running service; settings of the one that is started otherwise.
    """
    try:
        pack_dir = read_config({**env, "NRM_DEMO": "1"}).pack_dir
        with service(env) as address:
            number = walk_case(pack_dir, address)
    except (BadSetting, BadStory, Refused, WentWrong, OSError) as error:
        sys.stderr.write(f"demo-case: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("demo-case: stopped\n")
        return 1
    say(f"closed {number}")
    return 0


def walk_case(pack_dir: Path, address: str) -> str:
    """Walk the pack's story against a service, and give the number of the closed case.

    Args:
        pack_dir: folder of the pack that the service has loaded.
        address: for example "http://127.0.0.1:8000".

    Raises:
        WentWrong: the story could not be walked to its end.
        Refused: the service said no.
        BadStory: the story cannot be read.
    """
    script, arrivals = read_script(pack_dir)
    walk = Walk(over_http(address), read_demo(pack_dir), script, say)
    begin(walk, arrivals)
    for step in script.steps:
        take_step(walk, step)
    number = finish(walk)
    say("\nThe timeline of the case:")
    for line in timeline(walk):
        say(f"  {line}")
    return number


def read_script(pack_dir: Path) -> tuple[Script, bytes]:
    """Read the story of the demo case and its arrival list.

    Raises:
        BadStory: a file is missing or is not what it should be.
    """
    folder = pack_dir / FOLDER
    try:
        data = orjson.loads((folder / "demo_case.json").read_bytes())
        script = Script(
            importer=data["importer"],
            handler=data["handler"],
            governorate=data["governorate"],
            reference=data["reference"],
            begins_at=data["begins_at"],
            steps=tuple(data["steps"]),
        )
        return script, (folder / data["list"]).read_bytes()
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BadStory(f"{folder / 'demo_case.json'}: {error}") from error


@contextmanager
def service(env: Mapping[str, str]) -> Iterator[str]:
    """Give the address of a running demonstration: the one that listens, or a new one for the length of the block.

    Raises:
        WentWrong: a new one does not start.
        BadSetting: PORT is no port.
    """
    address = f"http://{host_of(env)}:{port_of(env)}"
    if is_ready(address):
        say(f"Using the service at {address}.")
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="nrm-demo-case-") as folder:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        say(f"No service listens there; starting one at {address}.")
        log = Path(folder) / "log"
        settings = {**env, "HOST": "127.0.0.1", "PORT": str(port), "NRM_DATA_DIR": str(Path(folder) / "data")}
        with log.open("wb") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "api.demo"], env=settings, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            _await(started, address, log)
            yield address
        finally:
            _stop(started)


def _await(started: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not is_ready(address):
        if started.poll() is not None or time.monotonic() > end:
            raise WentWrong("the service does not start:\n" + log.read_text(errors="replace")[-3000:])
        time.sleep(0.2)


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.send_signal(signal.SIGTERM)
    try:
        started.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


def is_ready(address: str) -> bool:
    """Say whether a service of ours is ready there, with a runner that lives."""
    try:
        answer = over_http(address, timeout=5)("GET", "/readyz", {}, None)
        said = orjson.loads(answer.content)
    except (OSError, ValueError):
        return False
    return answer.status == 200 and isinstance(said, dict) and said.get("runner") is True


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(line: str) -> None:
    """Tell whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(os.environ))
