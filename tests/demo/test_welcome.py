"""The first page of the demonstration says in three languages what it is and who may sign in; nowhere else it is shown."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.app import create_app
from api.demo import running
from api.pages import welcome
from nrm.db import db
from tests.demo.conftest import Shown
from tests.installations import forget


class Page(HTMLParser):
    """Collects what a browser would load or refuse to load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.styles: list[str] = []
        self.sections: list[tuple[str, str]] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a":
            self.links.append(given["href"])
        if tag == "link":
            self.styles.append(given["href"])
        if tag == "section":
            self.sections.append((given["lang"], given["dir"]))
        if tag in {"script", "style"} or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)


@pytest.fixture
def browser(shown: Shown):
    welcome._who.cache_clear()
    with _served(shown.config) as client:
        yield client


def _served(config):
    app = create_app(config)
    forget()

    class Served:
        def __enter__(self):
            self.context = app.app_context()
            self.context.push()
            return app.test_client()

        def __exit__(self, *error):
            db.session.remove()
            db.engine.dispose()
            self.context.pop()

    return Served()


def test_a_newcomer_reads_what_this_is_in_three_languages(browser, shown: Shown):
    answer = browser.get("/")
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    page = Page(text)
    assert page.sections == [("ar", "rtl"), ("ckb", "rtl"), ("en", "ltr")]
    for user in shown.demo.users:
        assert user.login in text
    assert text.count(shown.demo.password) == 3
    assert "invented" in text


def test_its_links_and_style_lead_somewhere(browser):
    page = Page(browser.get("/").get_data(as_text=True))
    assert set(page.links) == {"/docs", "/api/v1/openapi.json", "/healthz", "/readyz", "/sign-in"}
    for path in {*page.styles, "/healthz", "/api/v1/openapi.json"}:
        with browser.get(path) as answer:
            assert answer.status_code == 200, path
    with browser.get(page.styles[0]) as answer:
        assert answer.mimetype == "text/css"


def test_it_keeps_to_the_strict_rules_for_content(browser):
    answer = browser.get("/")
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert Page(answer.get_data(as_text=True)).inline == []


def test_no_sign_in_is_shown_where_people_really_work(shown: Shown, tmp_path: Path):
    config = replace(shown.config, demo=False, secret="for this test only: " + "0123456789" * 3, data_dir=tmp_path)
    with _served(config) as client:
        assert client.get("/").headers["Location"] == "/work"
        assert client.get("/demo.css").status_code == 404


def test_the_pages_name_the_address_where_the_demonstration_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    served: dict[str, str] = {}
    monkeypatch.setattr(running, "make", lambda config: served.update(public=config.public_url) or ({}, ()))
    monkeypatch.setattr(running, "welcome", lambda *given: "")
    monkeypatch.setattr(running, "check_port", lambda host, port: None)
    monkeypatch.setattr(running, "serve", lambda settings, when_ready: served.update(settings) or 0)
    for name in ("NRM_PUBLIC_URL", "NRM_DEMO", "NRM_LOG_LEVEL", "NRM_WORKER_POLL_SECONDS", "NRM_DATA_DIR", "PORT"):
        # So that what is written into the environment goes again.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    env = {"PORT": "8123", "NRM_DATA_DIR": str(tmp_path), "NRM_COUNTRY": "testland"}
    assert running.main(env) == 0
    assert served["public"] == served["NRM_PUBLIC_URL"] == "http://127.0.0.1:8123"
    assert running.main({**env, "NRM_PUBLIC_URL": "https://demo.example"}) == 0
    assert served["public"] == "https://demo.example"
