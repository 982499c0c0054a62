"""The examples for the command line and for PHP, run as they stand; needs curl, jq and php (`make examples-check`)."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress

import pytest

from tests.partner.conftest import Partner
from tests.partner.signing import SECRET
from tests.partner.test_examples import WEBHOOKS, exported, with_real_people


def bash(partner: Partner, examples: dict[str, str], key: str = "") -> dict[str, str]:
    """Run examples one after the other in one shell; gives what each wrote. The first that fails ends it."""
    settings = "\n".join(f"export {name}={value}" for name, value in exported(partner, key).items())
    parts = [f"echo '--- {name}'\n{text}" for name, text in examples.items()]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join([settings, *parts])],
        cwd=partner.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(partner.folder), **partner.settings()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    blocks = done.stdout.split("--- ")[1:]
    return {block.partition("\n")[0]: block.partition("\n")[2].strip() for block in blocks}


def test_the_examples_for_the_command_line_close_the_loop(partner: Partner):
    written = bash(partner, with_real_people(partner.snippets.of("bash")))
    assert json.loads(written["whoami"])["organisation"]["id"] == partner.sent.service.organisation_id
    assert written["list"] == partner.sent.made["id"]
    assert json.loads(written["complete"])["state"] == "completed"
    assert written["token"].startswith("nrm_token_")
    assert set(written["events"].splitlines()) == {
        f"referral.accepted {partner.sent.made['id']}",
        f"referral.completed {partner.sent.made['id']}",
    }
    assert json.loads(written["endpoint"])["secret"].startswith("whsec_")
    assert written["hsds"]
    assert json.loads(written["fhir"])["status"] == "completed"
    assert partner.state() == "completed"
    partner.closes()


def test_the_page_is_walked_from_top_to_bottom_with_a_test_key(partner: Partner):
    written = bash(partner, partner.snippets.of("bash"), partner.test_key)
    assert json.loads(written["whoami"])["livemode"] is False
    assert json.loads(written["sandbox"])["id"] == written["list"]
    assert json.loads(written["complete"])["state"] == "completed"
    assert json.loads(written["fhir"])["status"] == "completed"
    assert partner.state() == "sent"


@pytest.mark.parametrize("example", ["list", "read", "accept"])
def test_a_loop_without_one_of_its_examples_is_not_closed(partner: Partner, example: str):
    examples = {name: text for name, text in with_real_people(partner.snippets.of("bash")).items() if name != example}
    with suppress(AssertionError):
        bash(partner, examples)
    assert partner.state() != "completed"


@pytest.mark.parametrize(("case", "headers", "body", "good"), WEBHOOKS, ids=[row[0] for row in WEBHOOKS])
def test_the_php_example_takes_only_webhooks_that_are_signed(partner: Partner, case, headers, body, good):
    given = json.dumps(headers(int(time.time())))
    ask = f"""
try {{
    echo verify({json.dumps(SECRET)}, json_decode('{given}', true), '{body.decode()}')['type'];
}} catch (Exception $refused) {{
    echo 'refused';
}}
"""
    file = partner.folder / "webhook.php"
    file.write_text(partner.snippets.of("php")["webhook"] + ask)
    done = subprocess.run(["php", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("referral.accepted" if good else "refused"), case
