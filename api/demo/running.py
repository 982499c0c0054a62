"""Make the demonstration, say where it is and who may sign in, and serve it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from api.app import create_app
from api.serving import CannotServe, check_port, host_of, port_of, serve
from nrm.config import BadSetting, Config, read_config
from nrm.countries import BadPack
from nrm.demo.making import NotForDemo, SignIn, sign_ins
from nrm.demo.preparing import prepare
from nrm.demo.stories import BadStory, Demo

_USUAL: Final = {"NRM_LOG_LEVEL": "warning", "NRM_WORKER_POLL_SECONDS": "0.25"}
"""A terminal that shows sign-ins is no place for a line per request, and a runner that looks often notices soon that
the clock was moved; who wants it otherwise says so."""


def main(env: Mapping[str, str]) -> int:
    """Prepare and serve; gives the exit status.

    Args:
        env: PORT, HOST, NRM_DATA_DIR, NRM_DATABASE_URL and the other settings; the demonstration mode is set here.
    """
    settings = {**_USUAL, **env, "NRM_DEMO": "1"}
    # The application's own modules read the process's environment.
    os.environ.update(settings)
    try:
        return _run(settings)
    except KeyboardInterrupt:
        _say("Stopped.")
        return 0
    except (BadSetting, CannotServe, BadStory) as error:
        _complain(str(error))
    except BadPack as error:
        _complain("The country pack has mistakes: " + ", ".join(sorted({entry.file for entry in error.problems})))
    except NotForDemo:
        _complain(
            "This database holds users of its own: the demonstration is not made in it.\n"
            "Give another one: NRM_DATA_DIR=/tmp/nrm-demo, or an empty NRM_DATABASE_URL."
        )
    return 2


def _run(settings: Mapping[str, str]) -> int:
    host, port = host_of(settings), port_of(settings)
    # What the pages and the guide for programs name is where this service really listens.
    settings = {"NRM_PUBLIC_URL": f"http://{host}:{port}", **settings}
    os.environ.update(settings)
    config = read_config(settings)
    check_port(host, port)
    _say(f"National Referral Mechanism, demonstration. Data: {config.data_dir}")
    words = welcome(*make(config), f"http://{host}:{port}/")
    status = serve(settings, when_ready=lambda: _say(words))
    _say("Stopped." if status == 0 else "A part of the service ended by itself; its last words stand above.")
    return status


def make(config: Config) -> tuple[Demo, tuple[SignIn, ...]]:
    """Make what is missing of the demonstration; gives it and who may sign in.

    Args:
        config: the settings, in demonstration mode.

    Raises:
        BadPack: the pack has mistakes.
        BadStory: its demonstration has.
        NotForDemo: the database holds real work.
    """
    app = create_app(config)
    with app.app_context():
        demo, made = prepare(config, progress=lambda line: _dot())
        people = sign_ins(demo)
    if made.stories:
        _say(f" made {made.users} users and {len(made.stories)} cases of invented people.")
    else:
        _say(" everything is there.")
    return demo, people


def welcome(demo: Demo, people: Sequence[SignIn], address: str) -> str:
    """Give the words that a newcomer reads once the service is up."""
    longest = max((len(person.login) for person in people), default=0)
    lines = [
        f"  {person.login:<{longest}}  "
        + "; ".join(f"{desk.get('en', '')}, {organisation.get('en', '')}" for desk, organisation in person.seats)
        for person in people
    ]
    return "\n".join(
        [
            f"\n{address} is ready. Ctrl-C stops it.",
            f"\nSign-ins of the demonstration, all with the password: {demo.password}",
            *lines,
            "\nNext, in another terminal: `make demo-case` walks one case from an arrival list to its end.\n",
        ]
    )


def _dot() -> None:
    sys.stdout.write(".")
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")
