"""The examples of the guide, taken off the page and run as they stand: together they close a referral's loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.expressions.javascript import node
from tests.partner.conftest import Partner
from tests.partner.signing import BODY, OTHER, SECRET, signed, signed_twice

WEBHOOKS: list[tuple[str, Callable[[int], dict[str, str]], bytes, bool]] = [
    ("as it was signed", signed, BODY, True),
    ("signed twice, while the secret changes", signed_twice, BODY, True),
    ("another body", signed, BODY + b" ", False),
    ("another secret", lambda now: signed(now, secret=OTHER), BODY, False),
    ("too old", lambda now: signed(now - 1000), BODY, False),
    ("from the future", lambda now: signed(now + 1000), BODY, False),
]
"""What comes in → its headers at a moment, its body, and whether it may be believed."""


def python(partner: Partner, program: str, **more: str) -> str:
    """Run a program beside the client that the documentation offers; gives what it wrote."""
    with urllib.request.urlopen(f"{partner.url}/docs/nrm_client.py", timeout=20) as answer:
        (partner.folder / "nrm_client.py").write_bytes(answer.read())
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", **partner.settings(), **more}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=partner.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def exported(partner: Partner, key: str = "") -> dict[str, str]:
    """Take the settings as the page has them, with the key where the page leaves it open."""
    text = partner.snippets.of("shell")["settings"].replace("nrm_test_…", key or partner.key)
    pairs = dict(line.removeprefix("export ").split("=", 1) for line in text.splitlines())
    assert pairs == {"NRM_URL": partner.url, "NRM_KEY": key or partner.key}
    return pairs


def with_real_people(examples: dict[str, str]) -> dict[str, str]:
    """Leave out what only test keys may do, and what waits for webhooks."""
    return {name: text for name, text in examples.items() if name not in ("sandbox", "webhook")}


def test_the_page_is_walked_from_top_to_bottom_with_a_test_key(partner: Partner):
    examples = partner.snippets.of("python")
    order = ["whoami", "sandbox", "list", "read", "accept", "complete", "events", "endpoint", "webhook", "restrictions"]
    assert list(examples) == order
    written = python(partner, "\n".join(examples.values()), **exported(partner, partner.test_key))
    assert "'livemode': False" in written
    assert "acknowledged" in written
    assert "completed provided" in written
    assert "referral.accepted ref_" in written
    assert partner.state() == "sent", "a test key touches nothing of real life"


def test_the_python_examples_close_the_loop(partner: Partner):
    examples = with_real_people(partner.snippets.of("python"))
    assert list(examples) == ["whoami", "list", "read", "accept", "complete", "events", "endpoint", "restrictions"]
    written = python(partner, "\n".join(examples.values()), **exported(partner))
    assert partner.state() == "completed"
    assert "completed provided" in written
    assert f"referral.accepted {partner.sent.made['id']}" in written
    partner.closes()


@pytest.mark.parametrize("example", ["accept", "complete"])
def test_a_loop_without_one_of_its_examples_is_not_closed(partner: Partner, example: str):
    examples = with_real_people(partner.snippets.of("python"))
    program = "\n".join(text for name, text in examples.items() if name not in (example, "events"))
    with suppress(AssertionError):
        python(partner, program, **exported(partner))
    assert partner.state() != "completed"


@pytest.mark.parametrize(("case", "headers", "body", "good"), WEBHOOKS, ids=[row[0] for row in WEBHOOKS])
def test_the_python_example_takes_only_webhooks_that_are_signed(partner: Partner, case, headers, body, good):
    given = headers(int(time.time()))
    ask = f"\nimport sys\nsys.stdout.write(str(receive({given!r}, {body!r})))\n"
    written = python(partner, partner.snippets.of("python")["webhook"] + ask, NRM_WEBHOOK_SECRET=SECRET)
    assert written.endswith("204" if good else "400"), case


@pytest.mark.parametrize(("case", "headers", "body", "good"), WEBHOOKS, ids=[row[0] for row in WEBHOOKS])
def test_the_javascript_example_takes_only_webhooks_that_are_signed(partner: Partner, case, headers, body, good):
    given = headers(int(time.time()))
    file = partner.folder / "webhook.mjs"
    ask = f"""
let answer = "refused";
try {{
  answer = verify({json.dumps(SECRET)}, {json.dumps(given)}, {json.dumps(body.decode())}).type;
}} catch {{}}
process.stdout.write(answer);
"""
    file.write_text(partner.snippets.of("javascript")["webhook"] + ask)
    done = subprocess.run([node(), str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("referral.accepted" if good else "refused"), case
