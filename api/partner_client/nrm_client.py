"""A client of the partner API in one file: Python 3.9 or newer, no other package. Copy it into your program.

    client = Client("https://referrals.example.org", "nrm_test_…")
    for referral in client.referrals(state="sent"):
        client.act(referral, "accept")

A request that could not be delivered or was too early is sent again, with the same Idempotency-Key, so that nothing
happens twice. Licence: Apache-2.0, as the service.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]
"""An object as the API sends it; new members may come at any time, so take those that you know."""

WEBHOOK_TOLERANCE: Final = 300
"""Seconds by which the clocks of sender and receiver of a webhook may differ."""

_AGAIN: Final = (429, 502, 503, 504)


class Problem(Exception):
    """The API refused: RFC 9457, with a stable code.

    Attributes:
        status: HTTP status; 0 when no answer came.
        code: the stable code: branch on this, never on the words.
        detail: what is wrong, in the language of the client.
        errors: what is wrong in the body, each with pointer, code and detail.
        request_id: what to quote when asking for help.
        body: all members.
    """

    def __init__(self, status: int, body: Json) -> None:
        """Keep what the API said."""
        self.status = status
        self.body = body
        self.code = str(body.get("code", "no_answer"))
        self.detail = str(body.get("detail", ""))
        self.errors: list[Json] = list(body.get("errors", []))
        self.request_id = str(body.get("request_id", ""))
        super().__init__(f"{status} {self.code}: {self.detail} (request {self.request_id})")


class BadSignature(Exception):
    """A webhook that the service did not sign, or that is too old: answer 400 and do nothing."""


class Client:
    """One organisation's way to the API."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        language: str = "en",
        timeout: float = 40.0,
        tries: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a client.

        Args:
            url: address of the installation, without /api.
            key: the key or token; it is sent in a header only.
            language: ar, ckb or en: for the words of problems.
            timeout: seconds to wait for one answer; more than the longest wait for events.
            tries: how often to send a request that got no answer, or 429 or 503.
            sleep: waits some seconds between tries.

        Raises:
            ValueError: the address is not one of HTTP.
        """
        if urllib.parse.urlsplit(url).scheme not in ("https", "http"):
            raise ValueError("url: write https://…")
        self.base = url.rstrip("/") + "/api/v1"
        self.headers = {"Authorization": f"Bearer {key}", "Accept-Language": language, "User-Agent": "nrm-client/1"}
        self.timeout, self.tries, self.sleep = timeout, max(1, tries), sleep

    def whoami(self) -> Json:
        """Say who asks, with which scopes, and how often it may."""
        return self.call("GET", "/whoami")

    def referrals(self, direction: str = "received", **only: str | bool) -> Iterator[Json]:
        """Give all referrals, the latest changed first, page by page.

        Args:
            direction: received or sent.
            only: state, urgency, updated_since, external_id, open.
        """
        return self.pages("/referrals", direction=direction, **only)

    def referral(self, referral_id: str, *, purpose: str | None = None) -> Json:
        """Read a referral in full; the first read of personal data acknowledges it.

        Args:
            referral_id: its id.
            purpose: what restricted personal data are read for; kept in the record of who read what.
        """
        headers = {"NRM-Purpose": purpose} if purpose else {}
        return self.call("GET", f"/referrals/{_part(referral_id)}", headers=headers)

    def act(self, referral: Json | str, verb: str, *, version: int | None = None, **fields: object) -> Json:
        """Do something with a referral: accept, decline, schedule, start, complete and so on.

        Args:
            referral: the referral as it was read, or its id.
            verb: one of its allowed_actions.
            version: the version that you saw; of a referral that was read it is known.
            fields: what the verb needs: reason, outcome, note …

        Raises:
            Problem: 412 stale_version when somebody changed it since: read it again; 409 when the verb does not fit.
        """
        found, seen = (referral, version) if isinstance(referral, str) else (str(referral["id"]), referral["version"])
        body = {**fields, "version": version if version is not None else seen}
        return self.call("POST", f"/referrals/{_part(found)}/{_part(verb.replace('_', '-'))}", body)

    def send(self, case_id: str, service_id: str, reason: str, **fields: object) -> Json:
        """Send a referral; give `external_id`, your own number, and it is never made twice."""
        return self.call(
            "POST", "/referrals", {"case_id": case_id, "service_id": service_id, "reason": reason, **fields}
        )

    def events(self, after: str | None = None, *, wait: int = 25, types: Sequence[str] = ()) -> Iterator[Json]:
        """Give what happens, for ever, the oldest first. Keep the id of each event that you are done with.

        Args:
            after: id of the last event that you are done with; None for all of the last 30 days.
            wait: seconds for which the service holds an empty answer back, at most 25.
            types: only these types of events.
        """
        query: dict[str, str | int] = {"wait": wait, **({"types": ",".join(types)} if types else {})}
        while True:
            page = self.call("GET", "/events", query={**query, **({"after": after} if after else {})})
            for event in page["data"]:
                yield event
                after = str(event["id"])

    def code_list(self, name: str) -> dict[str, Json]:
        """Give a code list: code → its names by language."""
        return {row["code"]: row["names"] for row in self.call("GET", f"/code-lists/{_part(name)}")["codes"]}

    def pages(self, path: str, **query: str | int | bool) -> Iterator[Json]:
        """Give all rows of a list."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path, query={**query, **({"cursor": cursor} if cursor else {})})
            yield from page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, str | int | bool] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Ask anything of the API.

        Args:
            method: GET, POST …
            path: below /api/v1.
            body: the body of a change.
            query: the query string.
            headers: more headers.

        Raises:
            Problem: the API refused, or gave no answer after all tries.
        """
        sent = {**self.headers, **(headers or {})}
        if method != "GET":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
            sent["Content-Type"] = "application/json"
        words = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items()
        }
        address = self.base + path + ("?" + urllib.parse.urlencode(words) if words else "")
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(address, data, sent, method=method)  # noqa: S310 - the scheme was checked
        for left in reversed(range(self.tries)):
            try:
                return self._once(request)
            except Problem as problem:
                if not left or problem.status not in (0, *_AGAIN):
                    raise
                self.sleep(float(problem.body.get("retry_after", 2.0 ** (self.tries - left - 1))))
        raise AssertionError("the last try gives or raises")

    def _once(self, request: urllib.request.Request) -> Json:
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                text = answer.read()
                return dict(json.loads(text)) if text else {}
        except urllib.error.HTTPError as error:
            with error:
                raise _problem(error) from None
        except OSError as error:
            raise Problem(0, {"detail": str(error)}) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The API never redirects; to follow would hand the key to somebody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _part(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _problem(error: urllib.error.HTTPError) -> Problem:
    try:
        body = dict(json.loads(error.read()))
    except (ValueError, OSError):
        body = {"detail": error.reason}
    after = error.headers.get("Retry-After", "")
    return Problem(error.code, {**body, "retry_after": float(after)} if after.isdigit() else body)


def verify_webhook(
    secrets: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
    tolerance: int = WEBHOOK_TOLERANCE,
) -> Json:
    """Check that a webhook comes from the service, and give its event (Standard Webhooks 1.0.0).

    Args:
        secrets: your `whsec_…`; while you change it, the old one and the new one.
        headers: the headers of the request; case does not matter.
        body: its body, byte for byte as it came.
        now: the present moment in seconds; None for the clock.
        tolerance: seconds by which the time of signing may differ from now.

    Raises:
        BadSignature: it is not signed with one of the secrets, or too old, or from the future.
    """
    found = {name.lower(): value for name, value in headers.items()}
    message, signed_at = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    moment = time.time() if now is None else now
    if not signed_at.isascii() or not signed_at.isdigit() or abs(moment - int(signed_at)) > tolerance:
        raise BadSignature("the time of signing is missing, or too far from now")
    content = b".".join((message.encode(), signed_at.encode(), body))
    given = [part[3:] for part in found.get("webhook-signature", "").split() if part.startswith("v1,")]
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        digest = base64.b64encode(hmac.digest(_secret(secret), content, hashlib.sha256)).decode()
        if any(hmac.compare_digest(digest.encode(), each.encode()) for each in given):
            return dict(json.loads(body))
    raise BadSignature("none of the signatures is by one of the secrets")


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("the secret begins with whsec_ and goes on in base64") from None
