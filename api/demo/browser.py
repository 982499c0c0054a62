"""A signed-in user of the JSON API, as a program: one request, one answer, the cookie kept."""

from __future__ import annotations

import http.client
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import orjson

TRIES: Final = 8
"""How often a request is made again when somebody else, usually the runner, was quicker with the same thing."""
_AGAIN: Final = frozenset({409, 412, 503})

Body = Mapping[str, object] | bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        headers: names in small letters.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class Send(Protocol):
    """Carries a request to the service."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Give the answer."""
        ...


class Refused(Exception):
    """The service said no; the text is its own."""

    def __init__(self, status: int, problem: Mapping[str, Any], asked: str) -> None:
        """Keep what was said.

        Args:
            status: HTTP status.
            problem: the problem document.
            asked: method and path.
        """
        words = problem.get("detail") or problem.get("title") or ""
        super().__init__(f"{asked}: {status} {problem.get('code', '')}: {words} {problem.get('errors') or ''}".rstrip())
        self.status = status
        self.code = str(problem.get("code", ""))


def over_http(address: str, *, timeout: float = 60) -> Send:
    """Give a way to send requests to an address like "http://127.0.0.1:8000"."""
    place = urlsplit(address)

    def send(method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=timeout)
        try:
            connection.request(method, path, body=content, headers=dict(headers))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=found, content=answer.read())
        finally:
            connection.close()

    return send


class Browser:
    """Somebody at the API."""

    def __init__(self, send: Send) -> None:
        """Nobody is signed in yet.

        Args:
            send: carries requests.
        """
        self._send = send
        self._cookie = ""

    def sign_in(self, login: str, password: str) -> None:
        """Sign in and keep the session's cookie.

        Raises:
            Refused: name or password is wrong, or the service is no demonstration on this machine.
        """
        answer = self._ask("POST", "/api/v1/session", {"login": login, "password": password})
        self._cookie = answer.headers.get("set-cookie", "").partition(";")[0]

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read something.

        Args:
            path: below /api/v1.
            query: the query string.

        Raises:
            Refused: with the service's words.
        """
        text = f"?{urlencode(query)}" if query else ""
        return orjson.loads(self._ask("GET", f"/api/v1{path}{text}", None).content)

    def all(self, path: str, **query: str | int) -> list[Any]:
        """Read every page of a list."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            found += page["data"]
            cursor = page["next_cursor"]
        return found

    def post(self, path: str, body: Body = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """Do something.

        Args:
            path: below /api/v1, with its query string.
            body: JSON, or the bytes of a file.

        Raises:
            Refused: with the service's words.
        """
        answer = self._ask("POST", f"/api/v1{path}", {} if body is None else body)
        return orjson.loads(answer.content) if answer.content else None

    def _ask(self, method: str, path: str, body: Body) -> Answer:
        headers = {"Accept": "application/json", "Accept-Language": "en"}
        if self._cookie:
            headers["Cookie"] = self._cookie
        content: bytes | None = None
        if body is not None:
            file = isinstance(body, bytes)
            headers["Content-Type"] = "text/csv" if file else "application/json"
            headers["Idempotency-Key"] = uuid.uuid4().hex
            content = body if isinstance(body, bytes) else orjson.dumps(body)
        answer = self._send(method, path, headers, content)
        if answer.status >= 400:
            raise Refused(answer.status, _problem(answer), f"{method} {path.partition('?')[0]}")
        return answer


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {"detail": "no words came with it"}
    return found if isinstance(found, dict) else {}


def is_worth_another_try(error: Refused) -> bool:
    """Say whether somebody else was quicker, so that reading and asking again may help."""
    return error.status in _AGAIN


def rest(number: int) -> None:
    """Wait a little longer before each further try."""
    time.sleep(min(0.05 * 2**number, 1.0))
