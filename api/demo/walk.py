"""What a walk through a case knows and sees: who may sign in, what time it is, what the case shows now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from api.demo.browser import TRIES, Browser, Refused, Send, is_worth_another_try, rest
from nrm.demo.stories import Demo, Step, of_person
from nrm.sealing import Json

PATIENCE: Final = 90.0
"""Seconds of real time in which the runner must have done what is due."""

T = TypeVar("T")
Say = Callable[[str], None]


class WentWrong(Exception):
    """The case did not go as the story says; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is walked.

    Attributes:
        importer: sign-in name of who sends the arrival list.
        handler: sign-in name of the case's handler.
        governorate: where the case is looked for.
        reference: how the references of the list's rows begin.
        begins_at: step that a fresh case waits at.
    """

    importer: str
    handler: str
    governorate: str
    reference: str
    begins_at: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Walk:
    """A case on its way.

    Attributes:
        send: carries requests.
        demo: users, password and usual answers.
        script: what happens.
        say: tells whoever watches.
        pause: called while waiting for the runner.
        case: the case, once it is found.
        person: what is recorded of its person.
        seen: cases that were looked at and are not fresh.
    """

    send: Send
    demo: Demo
    script: Script
    say: Say
    pause: Callable[[], None] = lambda: time.sleep(0.15)
    case: Mapping[str, Any] = field(default_factory=dict)
    person: Mapping[str, Any] = field(default_factory=dict)
    _browsers: dict[str, Browser] = field(default_factory=dict)
    _services: dict[str, str] = field(default_factory=dict)
    _desks: dict[str, str] = field(default_factory=dict)
    _about: dict[str, str | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    # -- who and where -----------------------------------------------------------------------------------------

    def user(self, login: str) -> Browser:
        """Give a signed-in user; sessions are kept."""
        if login not in self._browsers:
            browser = Browser(self.send)
            browser.sign_in(login, self.demo.password)
            self._browsers[login] = browser
        return self._browsers[login]

    @property
    def handler(self) -> Browser:
        """The case's handler."""
        return self.user(self.script.handler)

    @property
    def case_id(self) -> str:
        """Id of the case."""
        return str(self.case["id"])

    def login_at(self, desk_id: str | None) -> str | None:
        """Give the sign-in name of who sits at a desk; None when nobody of the demonstration does."""
        if not self._desks:
            self._desks.update({desk["id"]: desk["code"] for desk in self.handler.all("/desks", limit=100)})
        user = self.demo.desk_users.get(self._desks.get(desk_id or "", ""))
        return user.login if user else None

    def service(self, code: str) -> str:
        """Give the id behind a service's code.

        Raises:
            WentWrong: the directory has no such service.
        """
        if not self._services:
            self._services.update({row["code"]: row["id"] for row in self.handler.all("/services", limit=100)})
        if code not in self._services:
            raise WentWrong(f"the directory has no service {code}")
        return self._services[code]

    def find(self, kind: str, name: str) -> Json:
        """Give the value of a mark in answers (see `nrm.demo.stories`)."""
        if kind == "day":
            return (self.now().astimezone().date() + timedelta(days=int(name or 0))).isoformat()
        if kind == "moment":
            return self.now().isoformat()
        if kind == "service":
            return self.service(name)
        source = self.person if kind == "person" else self.case
        return of_person(dict(source), name)

    # -- time --------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Give the demonstration's present moment."""
        return datetime.fromisoformat(self.handler.get("/demo/clock")["now"])

    def move(self, by: str) -> None:
        """Move the demonstration's clock."""
        self.handler.post("/demo/clock", {"advance": by})

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """Look again and again until there is something.

        Raises:
            WentWrong: the runner did not bring it about in time.
        """
        end = time.monotonic() + PATIENCE
        while (found := look()) is None:
            if time.monotonic() > end:
                raise WentWrong(f"{what}: nothing after {PATIENCE:.0f} seconds; does the runner live?")
            self.pause()
        return found

    # -- what the case shows -----------------------------------------------------------------------------------

    def about(self, task: Mapping[str, Any]) -> str | None:
        """Give the category of the planned service that a task is about."""
        task_id = str(task["id"])
        if task_id not in self._about:
            self._about[task_id] = self.handler.get(f"/tasks/{task_id}")["service_category"]
        return self._about[task_id]

    def open_task(self, step: str, of: Json) -> Mapping[str, Any] | None:
        """Find the open task of a step."""
        for task in self.handler.get(f"/cases/{self.case_id}/tasks"):
            if task["step"] == step and task["status"] == "open" and (of is None or self.about(task) == of):
                return dict(task)
        return None

    def referral(self, of: Json) -> Mapping[str, Any] | None:
        """Find the newest referral for a category of service."""
        rows = [row for row in self.handler.get(f"/cases/{self.case_id}/referrals") if of in (None, row["category"])]
        return max(rows, key=lambda row: int(row["attempt"]), default=None)

    def events(self) -> list[Mapping[str, Any]]:
        """Give the case's timeline, the earliest first."""
        return self.handler.all(f"/cases/{self.case_id}/timeline", limit=100)[::-1]

    def late_events(self) -> list[Mapping[str, Any]]:
        """Give the newest hundred entries of the timeline, the newest first."""
        return list(self.handler.get(f"/cases/{self.case_id}/timeline", limit=100)["data"])


def persist(act: Callable[[], T]) -> T:
    """Do something that begins with a fresh look, again where somebody else was quicker."""
    for number in range(TRIES):
        try:
            return act()
        except Refused as error:
            if number == TRIES - 1 or not is_worth_another_try(error):
                raise
        rest(number)
    raise AssertionError("unreachable")
