"""A client of the service over HTTP that repeats each request under its key until it is answered."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field


class Refused(Exception):
    """The service answered that it will not: a mistake of the test or of the product, never of a crash."""


@dataclass
class Client:
    """A signed-in client.

    Attributes:
        again: how often a request was repeated.
    """

    port: int
    login: str
    password: str
    again: int = 0
    _cookie: str = ""
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def complete(self, key: str, task_id: str, version: int) -> None:
        """Take a task and complete it; returns when both are acknowledged."""
        taken = self._post(f"/tasks/{task_id}/claim", key + ":claim", {"version": version})
        answers = {"note": f"Done under {key}"}
        self._post(f"/tasks/{task_id}/complete", key, {"version": taken["version"], "answers": answers})

    def _post(self, path: str, key: str, body: dict[str, object]) -> dict[str, object]:
        while True:
            status, answer = self._once(path, body, {"Idempotency-Key": key, "Cookie": self._cookie})
            if status == 200:
                return answer
            if status == 401:
                self._sign_in()
            elif 0 < status < 500 and status != 429:
                raise Refused(f"{path}: {status} {answer}")
            else:
                self.again += 1
                time.sleep(0.1)

    def _sign_in(self) -> None:
        body = {"login": self.login, "password": self.password}
        status, _ = self._once("/session", body, {})
        if status != 200:
            time.sleep(0.2)

    def _once(self, path: str, body: dict[str, object], headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Ask once; 0 when no whole answer came."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = json.dumps(body).encode()
            self._connection.request("POST", "/api/v1" + path, content, {"Content-Type": "application/json", **headers})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            return 0, {}
        cookie = answer.headers.get("Set-Cookie")
        if cookie:
            self._cookie = cookie.partition(";")[0]
        return answer.status, json.loads(text) if text else {}
