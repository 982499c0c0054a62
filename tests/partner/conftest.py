"""The documentation as a partner has it before them: pages, examples, and the service itself on a real port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.installation import install, installation
from nrm.rules.permissions import SCOPES
from tests.api.conftest import Office, office, opened, password_hash
from tests.api.test_referral_shape import Sent

__all__ = ["office", "opened", "password_hash"]


class Snippets(HTMLParser):
    """The examples of a page, as somebody would copy them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], str] = {}
        self.inline: list[str] = []
        self._open: tuple[str, str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "pre" and "data-snippet" in given:
            self._open = (given["data-snippet"], given["data-language"])
            self.found[self._open] = ""
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[self._open] += data

    def of(self, *languages: str) -> dict[str, str]:
        """Give the examples in some languages by name, in the order of the page."""
        return {name: text for (name, language), text in self.found.items() if language in languages}


class Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, *_: object) -> None:
        """Stay quiet."""


@dataclass
class Partner:
    """A partner's machine: what it knows is an address, a key, and the page with the examples."""

    office: Office
    url: str
    sent: Sent
    key: str
    test_key: str
    client_id: str
    client_secret: str
    snippets: Snippets
    folder: Path

    def settings(self) -> dict[str, str]:
        """Give the environment of the examples, beside what the page itself sets."""
        return {"NRM_CLIENT": self.client_id, "NRM_SECRET": self.client_secret}

    def state(self) -> str:
        """Give the state of the referral as its sender sees it."""
        self.office.land.session.close()
        return str(self.sent.handler.get(self.sent.path).get_json()["state"])

    def closes(self) -> None:
        """Let the sender ask the returnee; fails when the loop is not closed then."""
        self.office.land.session.close()
        version = self.sent.handler.get(self.sent.path).get_json()["version"]
        answer = self.sent.handler.post(f"{self.sent.path}/confirm", {"received": True, "version": version})
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["closed_at"]


@pytest.fixture
def partner(office: Office, tmp_path: Path) -> Iterator[Partner]:
    """The service on loopback, a referral that has come in, and a partner with the documentation."""
    sent = Sent(office)
    organisation = sent.service.organisation_id
    key = issue_key(SYSTEM, organisation, name="case system", scopes=tuple(SCOPES))
    trial = issue_key(SYSTEM, organisation, name="trial", scopes=tuple(SCOPES), livemode=False)
    oauth = issue_key(SYSTEM, organisation, name="by token", scopes=("referrals:read",), kind="client_secret")
    office.land.session.close()
    server = make_server("127.0.0.1", 0, office.app, threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    install(replace(installation().config, public_url=url), office.clock)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Partner(
            office=office,
            url=url,
            sent=sent,
            key=key.text,
            test_key=trial.text,
            client_id=oauth.id,
            client_secret=oauth.text,
            snippets=Snippets(office.app.test_client().get("/docs").text),
            folder=tmp_path,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
