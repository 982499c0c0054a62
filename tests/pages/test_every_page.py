"""Every page and every form of a page × junk, and × another office's objects.

The pages come from the application's own list of addresses, and the names of the fields from the templates, so that a
new page is tried without being named here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from nrm import ids
from nrm.actors import Actor
from nrm.db import db
from nrm.models import Membership
from nrm.queries import packs
from tests.api import test_walk
from tests.api.conftest import Office
from tests.api.test_scope import EVERYBODYS, theirs
from tests.pages.conftest import Reader

PART = re.compile(r"<(?:\w+:)?(\w+)>")
PAGES = Path(__file__).parents[2] / "api"
WRITTEN = re.compile(r"""\bname="([A-Za-z_][\w.-]*)\"""")
READ = re.compile(r"""\b(?:text|get|getlist|_day)\("([a-z_]+)"|query\["([a-z_]+)"\]""")
CANARY = "Zanarilla"
PERSON = {
    "names": {"own": CANARY, "father": CANARY, "surname": CANARY, "mother": CANARY},
    "documents": [{"kind": "passport", "number": "Z0000099"}],
    "born": "1991-04-02",
    "sex": "male",
    "governorate": "norvale",
}
JUNK = (
    "",
    "\x00",
    "\u202eabc",
    "\ud800",
    "x" * 3000,
    "9" * 400,
    "-1",
    "\u0663\u0664",
    "[]",
    '{"a": [null]}',
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "'\"<script>",
    "NaN",
    "../../etc/passwd",
)
EVERYWHERE = ("\x00", "9999-12-31", "0001-01-01T00:00:00+14:00")
"""What stands in all fields at once; the rest of the junk is mixed."""
STRANGE = ("%00", "zzz", "x" * 500, "%ED%A0%80")
LEAVING = {"/sign-out", "/me/password", "/me/second-factor", "/me/sessions/end-others", "/me/sessions/<session_id>/end"}
"""Where a visit may end."""


def fields() -> list[str]:
    """Give the names of all fields that some form writes or some page reads."""
    found = set()
    for path in (*PAGES.glob("templates/**/*.html"), *PAGES.glob("pages/**/*.py")):
        pattern = WRITTEN if path.suffix == ".html" else READ
        for match in pattern.finditer(path.read_text()):
            found.update(name for name in match.groups() if name)
    return sorted(found - {"token", "step_up_code"})


def routes(office: Office) -> Iterator[tuple[str, str]]:
    """Give method and rule of each page."""
    for rule in office.app.url_map.iter_rules():
        if rule.endpoint.startswith("pages_") and rule.rule not in LEAVING:
            yield from ((method, rule.rule) for method in sorted((rule.methods or set()) & {"GET", "POST"}))


def at(rule: str, things: dict[str, str], otherwise: str) -> str:
    return PART.sub(lambda found: things.get(found[1], otherwise), rule)


def of_all_trades(office: Office) -> Actor:
    """Give somebody who may open each page: a case handler with each role of the country beside it."""
    actor = office.land.at_desk("case_handler", "norvale")
    with db.engine.begin() as connection:
        for role in sorted(packs.pack().roles):
            seat = {"organisation_id": actor.organisations[0], "desk_id": None, "since": office.clock.now()}
            given = insert(Membership).values(id=ids.new_id("mem"), user_id=actor.id, role=role, **seat)
            connection.execute(given)
    return actor


def token_of(reader: Reader) -> str:
    return dict(reader.open("/me").forms[0].fields)["token"]


@pytest.fixture
def things(office: Office, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One object of each kind of an office in Norvale, full of a name that nobody else may read."""
    monkeypatch.setattr(test_walk, "PERSON", PERSON)
    return {**theirs(office, office.handler(name="owner")), "verb": "cancel"}


def ask(reader: Reader, method: str, path: str, given: list[tuple[str, str]]) -> TestResponse:
    # As programs send it that know nothing of text: also bytes that are no UTF-8.
    body = "&".join(f"{name}={quote_from_bytes(value.encode('utf-8', 'surrogatepass'))}" for name, value in given)
    if method == "GET":
        return reader.client.get(path, query_string=body)
    return reader.client.post(path, data=body, content_type="application/x-www-form-urlencoded")


def test_no_junk_breaks_a_page(office: Office, reader: Callable[..., Reader], things: dict[str, str]):
    one = reader(of_all_trades(office), "ar")
    token, names = token_of(one), fields()
    assert len(names) > 100
    broken, said = [], Counter[int]()
    for method, rule in routes(office):
        own = at(rule, things, "hello")
        number = sum(said.values())
        tries = [(own, (junk,)) for junk in EVERYWHERE] + [(own, JUNK[number % len(JUNK) :] + JUNK)]
        if own != rule:
            tries.append((at(rule, {}, STRANGE[number % len(STRANGE)]), ("a",)))
        for path, junk in tries:
            given = [(name, junk[place % len(junk)]) for place, name in enumerate(names)]
            answer = ask(one, method, path, [*given, (names[0], "twice"), ("token", token)])
            said[answer.status_code] += 1
            if answer.status_code >= 500:
                broken.append(f"{method} {path} {junk[0][:30]!r}")
    assert not broken, "\n".join(broken)
    assert said[200] > 80, said
    assert said[422] > 50, said
    assert "مهامي" in one.open("/work").says, "whoever tried all this still sits there, signed in"


@pytest.mark.parametrize("token", [None, "", "0" * 64], ids=["absent", "empty", "wrong"])
def test_no_form_is_taken_without_the_sessions_token(
    office: Office, reader: Callable[..., Reader], things: dict[str, str], token: str | None
):
    one = reader(of_all_trades(office))
    taken = []
    for method, rule in routes(office):
        if method != "POST" or rule.startswith(("/answer", "/complain", "/sign-in", "/language")):
            continue
        given = [] if token is None else [("token", token)]
        answer = ask(one, "POST", at(rule, things, "hello"), given)
        if answer.status_code != 403:
            taken.append(f"{rule} {answer.status_code}")
    assert not taken, "\n".join(taken)


@pytest.mark.parametrize("role", ["case_handler", "supervisor", "receiving_desk", "provider_manager"])
def test_no_page_tells_a_stranger_of_another_offices_objects(
    office: Office, reader: Callable[..., Reader], things: dict[str, str], role: str
):
    inside = role in {"case_handler", "supervisor"}
    found = office.land.at_desk(role, "hillin") if inside else office.land.receiver_of("open_door", role)
    one = reader(found)
    token, wrong, said = token_of(one), [], Counter[int]()
    gone = {name: value.partition("_")[0] + "_" + "2" * 26 for name, value in things.items()}
    for method, rule in routes(office):
        parts = set(PART.findall(rule))
        secret = parts & (set(things) - EVERYBODYS - {"key", "draft_id", "comment_id", "other_id", "verb"})
        answer = ask(one, method, at(rule, things, "hello"), [("token", token)] if method == "POST" else [])
        said[answer.status_code] += 1
        # 403: the role may not do this at all, whatever it is done to; it is said before anything is looked up.
        hidden = answer.status_code in (403, 404) or not secret
        if answer.status_code == 422 and secret:
            # What is wrong with the form may be said first, when it is said of what does not exist, too.
            hidden = ask(one, method, at(rule, gone, "hello"), [("token", token)]).status_code == 422
        if not hidden or CANARY in answer.text:
            wrong.append(f"{method} {rule} {answer.status_code} {answer.headers.get('Location')}")
    assert not wrong, "\n".join(wrong)
    assert said[404] > 25, said
