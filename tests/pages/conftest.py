"""People before the pages, with a browser that runs no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from nrm.actors import Actor
from nrm.db import db
from nrm.models import User
from tests.api.conftest import PASSWORD, Office, office, opened, password_hash

__all__ = ["office", "opened", "password_hash"]


@dataclass
class HtmlForm:
    """A form of a page: where it goes and what it would send."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a browser without a script would see of a page."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        self.status = answer.status_code
        self.text = answer.get_data(as_text=True)
        self.forms: list[HtmlForm] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self.alerts: list[str] = []
        self.inline: list[str] = []
        self.language = self.direction = ""
        self._open: list[str] = []
        self._link = ""
        self._select = ""
        self._area = ""
        self._alert = 0
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language, self.direction = given["lang"], given["dir"]
        if tag == "form":
            self.forms.append(HtmlForm(action=given.get("action", ""), method=given["method"]))
        if tag == "a":
            self._link = given["href"]
        if (tag == "script" and "src" not in given) or tag == "style" or "style" in given:
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on")]
        if given.get("role") == "alert":
            self._alert = len(self._open) + 1
        if tag not in {"input", "meta", "link", "br", "img", "path", "rect"}:
            self._open.append(tag)
        if self.forms:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name and given.get("type") != "file":
            ticked = given.get("type") not in {"radio", "checkbox"} or "checked" in given
            if ticked:
                form.fields.append((name, given.get("value", "")))
        if tag == "button" and name:
            form.buttons.append((name, given.get("value", "")))
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and "selected" in given:
            form.fields.append((self._select, given.get("value", "")))
        if tag == "textarea":
            self._area = name
            form.fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if self._alert and len(self._open) == self._alert:
            self._alert = 0
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "a":
            self._link = ""
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        self.words.append(text)
        if self._link:
            self.links[text] = self._link
        if self._alert:
            self.alerts.append(text)
        if self._area and self.forms:
            self.forms[-1].fields[-1] = (self._area, data)

    @property
    def says(self) -> str:
        return " ".join(self.words)

    def form(self, action: str) -> HtmlForm:
        """Find the form that goes to an address, by its end; one that changes something before one that filters."""
        found = [one for one in self.forms if one.action.endswith(action)]
        return next((one for one in found if one.method == "post"), found[0])

    def leads(self, action: str) -> bool:
        return any(one.action.endswith(action) for one in self.forms)


def chosen(content: bytes, name: str) -> FileStorage:
    """Give a file as a browser sends it; without a name none was chosen."""
    return FileStorage(BytesIO(content), filename=name, content_type="application/octet-stream")


@dataclass
class Reader:
    """Somebody who reads pages and presses buttons."""

    client: FlaskClient
    actor: Actor | None = None

    def open(self, path: str, **headers: str) -> Page:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code in {302, 303}:
            return self.open(answer.headers["Location"], **headers)
        return Page(answer)

    def send(self, page: Page, action: str, **changed: Any) -> Page:
        """Press the button of a form, with some fields filled in; a list stands for several ticked boxes."""
        form = page.form(action)
        sent: dict[str, list[str]] = {}
        for name, value in form.fields:
            sent.setdefault(name, []).append(value)
        for name, value in changed.items():
            sent[name.replace("__", ".")] = value if isinstance(value, list) else [value]
        return self.post(form.action, sent)

    def post(self, path: str, data: dict[str, Any], **headers: str) -> Page:
        if any(isinstance(one, FileStorage) for value in data.values() for one in value):
            # In memory: the client's own way leaves the temporary file of a large one open.
            boundary, body = encode_multipart(data)
            kind = f'multipart/form-data; boundary="{boundary}"'
            answer = self.client.post(path, data=body, content_type=kind, headers=headers)
        else:
            answer = self.client.post(path, data=data, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code == 303:
            return self.open(answer.headers["Location"])
        return Page(answer)


@pytest.fixture
def reader(office: Office) -> Callable[..., Reader]:
    """Open a browser, signed in through the page."""

    def open_one(actor: Actor | None = None, language: str = "en") -> Reader:
        one = Reader(client=office.app.test_client(), actor=actor)
        if actor is None:
            return one
        with db.engine.begin() as connection:
            changed = {"password_hash": office.password_hash, "language": language}
            connection.execute(update(User).where(User.id == actor.id).values(**changed))
        page = one.send(one.open("/sign-in"), "/sign-in", login=actor.id, password=PASSWORD)
        assert page.status == 200, page.says
        return one

    return open_one


@pytest.fixture
def handler(office: Office, reader: Callable[..., Reader]) -> Iterator[Reader]:
    """A case handler at work."""
    yield reader(office.land.at_desk("case_handler", "norvale", "one"))
