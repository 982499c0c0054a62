"""The Python client for partners: what it sends, what it sends again, and what it never does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api.partner_client.nrm_client import BadSignature, Client, Problem, verify_webhook
from tests.partner.conftest import Partner
from tests.partner.signing import BODY, OTHER, SECRET, signed, signed_twice


@dataclass
class Line:
    """A bad line: answers as it is told, and keeps what came."""

    port: int = 0
    answers: list[tuple[int, dict[str, str], object]] = field(default_factory=list)
    came: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def client(self, **how: object) -> Client:
        return Client(f"http://127.0.0.1:{self.port}", "nrm_test_x", sleep=self.waits.append, **how)


@pytest.fixture
def line() -> Iterator[Line]:
    told = Line()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.came.append((self.command, self.path, dict(self.headers), body))
            status, headers, content = told.answers.pop(0)
            if status == 0:
                self.close_connection = True
                return
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        told.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def refusal(code: str, status: int) -> dict[str, object]:
    return {"type": f"/docs/problems#{code}", "status": status, "code": code, "detail": "In words", "request_id": "r1"}


def test_a_change_that_got_no_answer_is_sent_again_under_the_same_key(line: Line):
    line.answers = [
        (0, {}, b""),
        (503, {}, refusal("busy", 503)),
        (429, {"Retry-After": "7"}, refusal("too_many", 429)),
    ]
    line.answers.append((200, {}, {"state": "accepted"}))
    assert line.client().act({"id": "ref_1", "version": 3}, "accept", note="Yes") == {"state": "accepted"}
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in line.came}) == 1
    assert [json.loads(body) for *_, body in line.came] == [{"note": "Yes", "version": 3}] * 4
    assert line.waits == [1.0, 2.0, 7.0]
    assert {path for _, path, _, _ in line.came} == {"/api/v1/referrals/ref_1/accept"}


def test_a_refusal_is_not_sent_again_and_carries_its_code(line: Line):
    line.answers = [(412, {}, {**refusal("stale_version", 412), "errors": [{"pointer": "/version"}]})]
    with pytest.raises(Problem) as caught:
        line.client().act("ref_1", "no_show", version=3)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (412, "stale_version", "r1")
    assert caught.value.errors == [{"pointer": "/version"}]
    assert line.came[0][1] == "/api/v1/referrals/ref_1/no-show"
    assert line.waits == []


def test_when_nothing_helps_the_last_problem_is_raised(line: Line):
    line.answers = [(503, {}, b"<html>")] * 2
    with pytest.raises(Problem, match="503"):
        line.client(tries=2).whoami()
    assert len(line.came) == 2
    line.answers = [(0, {}, b"")] * 2
    with pytest.raises(Problem, match="no_answer"):
        line.client(tries=2).whoami()


def test_a_redirect_is_never_followed_and_the_key_goes_nowhere_else(line: Line):
    line.answers = [(302, {"Location": f"http://127.0.0.1:{line.port}/elsewhere"}, b"")]
    with pytest.raises(Problem, match="302"):
        line.client().whoami()
    assert [path for _, path, _, _ in line.came] == ["/api/v1/whoami"]


def test_a_list_is_read_to_its_end(line: Line):
    line.answers = [
        (200, {}, {"data": [{"id": "ref_1"}], "next_cursor": "c&1", "has_more": True}),
        (200, {}, {"data": [{"id": "ref_2"}], "next_cursor": None, "has_more": False}),
    ]
    assert [row["id"] for row in line.client().referrals(state="sent", open=True)] == ["ref_1", "ref_2"]
    first, second = (path for _, path, _, _ in line.came)
    assert first == "/api/v1/referrals?direction=received&state=sent&open=true"
    assert second.endswith("&cursor=c%261")


def test_events_go_on_after_the_last_one(line: Line):
    line.answers = [
        (200, {}, {"data": [{"id": "evt_1"}, {"id": "evt_2"}], "has_more": False}),
        (200, {}, {"data": [], "has_more": False}),
        (200, {}, {"data": [{"id": "evt_3"}], "has_more": False}),
    ]
    events = line.client().events(wait=5)
    assert [next(events)["id"] for _ in range(3)] == ["evt_1", "evt_2", "evt_3"]
    assert [path.partition("?")[2] for _, path, _, _ in line.came] == ["wait=5", *["wait=5&after=evt_2"] * 2]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "referrals.example.org"])
def test_only_addresses_of_http_are_taken(url: str):
    with pytest.raises(ValueError, match="https"):
        Client(url, "nrm_test_x")


def test_the_client_speaks_with_the_service_as_it_is(partner: Partner):
    client = Client(partner.url, partner.key, language="ar")
    assert client.whoami()["organisation"]["id"] == partner.sent.service.organisation_id
    assert client.code_list("decline_reason")["no_capacity"]["en"]
    referral = next(client.referrals(state="sent"))
    read = client.referral(referral["id"], purpose="service")
    assert read["subject"]["names"]
    with pytest.raises(Problem) as caught:
        client.act(referral, "accept")
    assert caught.value.code == "stale_version"
    declined = client.act(read, "decline", reason="no_capacity")
    assert declined["state"] == "declined"
    with pytest.raises(Problem) as caught:
        client.send("cas_" + "0" * 26, partner.sent.service.id, "Work")
    assert caught.value.status in (403, 404, 422)


def test_a_webhook_is_believed_only_with_one_of_the_secrets_and_in_its_time():
    now = 1_780_000_000
    assert verify_webhook(SECRET, signed(now), BODY, now=now)["type"] == "referral.accepted"
    assert verify_webhook([OTHER, SECRET], signed(now), BODY, now=now + 299)
    assert verify_webhook(SECRET, {name.title(): value for name, value in signed_twice(now).items()}, BODY, now=now)
    for secret, headers, body in (
        (OTHER, signed(now), BODY),
        (SECRET, signed(now), BODY + b" "),
        (SECRET, {**signed(now), "webhook-id": "evt_2"}, BODY),
        (SECRET, {**signed(now), "webhook-timestamp": str(now + 1)}, BODY),
        (SECRET, {**signed(now), "webhook-signature": ""}, BODY),
        (SECRET, {**signed(now), "webhook-signature": "v1,é"}, BODY),
        (SECRET, {**signed(now), "webhook-timestamp": "soon"}, BODY),
        (SECRET, {}, BODY),
        ([], signed(now), BODY),
    ):
        with pytest.raises(BadSignature):
            verify_webhook(secret, headers, body, now=now)
    with pytest.raises(BadSignature):
        verify_webhook(SECRET, signed(now), BODY, now=now + 301)
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook("not a secret", signed(now), BODY, now=now)
    assert verify_webhook(SECRET, signed(int(time.time())), BODY)
