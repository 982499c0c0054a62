"""The handler's guide inside the product."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from api.pages import handbook
from tests.api.conftest import Office
from tests.pages.conftest import Reader

FORBIDDEN = ("only for the demo", "make run", "make screenshots", ".md")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_guide_has_all_chapters_and_pictures_in_the_readers_language(
    office: Office, reader: Callable[..., Reader], language: str
):
    one = reader(office.land.at_desk("case_handler", "norvale"), language)
    page = one.open("/guide")
    assert (page.status, page.language, page.inline) == (200, language, [])
    assert re.findall(r'<section [^>]*><h2 id="([^"]+)"', page.text) == list(handbook.CHAPTERS)
    assert not any(word in page.text for word in FORBIDDEN)
    pictures = re.findall(r'<img src="([^"]+)" alt="([^"]*)"[^>]*>', page.text)
    assert len(pictures) > 10
    for address, alt in pictures:
        assert alt
        assert f"/{language}/" in address
        answer = one.client.get(address)
        assert (answer.status_code, answer.content_type) == (200, "image/webp")
        assert "immutable" in answer.headers["Cache-Control"]
    sized = re.findall(r'<img src="[^"]+" alt="[^"]*" width="[0-9]+" height="[0-9]+" loading="lazy"', page.text)
    assert len(sized) == len(pictures)


def test_readers_of_another_language_are_told_and_may_choose(office: Office, reader: Callable[..., Reader]):
    one = reader(office.land.at_desk("case_handler", "norvale"), "ckb")
    page = one.open("/guide")
    assert (page.status, page.language) == (200, "ckb")
    assert '<div lang="ar" dir="rtl">' in page.text
    assert "/guide?in=en" in page.links.values()
    assert '<div lang="en" dir="ltr">' in one.open("/guide?in=en").text
    assert '<div lang="ar" dir="rtl">' in one.open("/guide?in=../../etc").text


def test_every_page_leads_to_the_guide_and_a_task_to_its_chapter(handler: Reader, opened: Callable[..., str]):
    opened()
    assert handler.open("/work").links["Guide"] == "/guide"
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    assert task.links["How a task works"] == "/guide#task"


def test_strangers_get_pictures_only_and_nothing_else_lies_among_them(office: Office, reader: Callable[..., Reader]):
    stranger = reader()
    assert stranger.open("/guide").leads("/sign-in")
    old = stranger.client.get("/guide/pictures/000000000000/en/sign-in.webp")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "public, max-age=60")
    for name in ("handler.en.md", "../architecture.md", "en/none.webp", "en/%2e%2e/handler.en.md"):
        assert stranger.client.get(f"/guide/pictures/{handbook.stamp()}/{name}").status_code in {301, 308, 404}
