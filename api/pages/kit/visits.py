"""One declaration per page: who may come, what is shown, and what happens when something is wrong.

```
@work.get("/work")
def show(visit: Visit) -> Answer:
    return visit.show("work/inbox.html", rows=...)
```

A visit goes through: route → who visits → the form's token → the handler → a page. Whatever is wrong on the way is an
error of `nrm.errors` and becomes a page in the reader's language, in one place. Every page works without a script;
scripts only save steps.
"""

from __future__ import annotations

import gzip
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit

from flask import Blueprint, Request, Response, g, render_template, request
from werkzeug.datastructures import FileStorage, MultiDict

from api.pages.kit import ended, step_up
from api.pages.kit.typed import typed_texts
from api.pages.kit.words import OWN_NAMES, Words
from api.security.sessions import CHOOSE, SET_UP, same_site, secret_of, who_asks
from api.transport.problems import STATUSES
from api.transport.refusals import Refused
from nrm.actors import Actor, ActorKind
from nrm.errors import NotAllowed, NotFound, NotSignedIn, NotValid, NrmError, Problem, StaleVersion, TooMany
from nrm.i18n import LANGUAGES, say
from nrm.installation import installation
from nrm.queries import packs
from nrm.rules.step_up import NEEDED, require_proof
from nrm.rules.texts import unstorable

LANGUAGE_COOKIE: Final = "nrm_language"
_SAFE: Final = frozenset({"GET", "HEAD"})
_WORTH_PACKING: Final = 1000
_LEADS_TO: Final[Mapping[str, str]] = {"own_password_missing": CHOOSE, "second_factor_missing": SET_UP}
"""What is missing → the page on which one sees to it."""
_NOBODY: Final = Actor(kind=ActorKind.USER, id="", seats=())

Answer: TypeAlias = "str | Response"
Handler: TypeAlias = Callable[..., Answer]
Told: TypeAlias = "tuple[tuple[str, str], ...]"
"""Field of a form and what is wrong with it, in words."""
Kept: TypeAlias = "tuple[tuple[str, str], ...]"
"""Hidden fields and their values."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request for a page.

    Attributes:
        actor: who visits; without an id where nobody needs to be signed in.
        session_id: id of the session.
        words: the reader's language.
        form: what was filled in.
        query: what stands in the address.
        files: the files that were chosen.
    """

    actor: Actor
    session_id: str
    words: Words
    form: MultiDict[str, str] = field(default_factory=MultiDict)
    query: MultiDict[str, str] = field(default_factory=MultiDict)
    files: MultiDict[str, FileStorage] = field(default_factory=MultiDict)

    @property
    def now(self) -> datetime:
        """Give the present moment of the installation."""
        return self.words.now

    @property
    def language(self) -> str:
        """Give the reader's language."""
        return self.words.language

    def text(self, name: str) -> str:
        """Give a text that was filled in, "" when there is none."""
        return self.form.get(name, "").replace("\r\n", "\n").strip()

    def version(self) -> int | None:
        """Give the version that the page was made from; None when it names none.

        Raises:
            NotValid: it is no number.
        """
        given = self.form.get("version", "")
        if not given:
            return None
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            raise NotValid([Problem(pointer="/version", code="not_an_integer")])
        return int(given)

    def show(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Make a page.

        Args:
            template: below api/templates.
            status: HTTP status.
            values: what the template reads beside the visit.
        """
        page = render_template(template, visit=self, w=self.words, t=self.words.t, token=_token(), **values)
        return Response(page, status=status, content_type="text/html; charset=utf-8")

    def in_language(self, language: str) -> Visit:
        """Give the same visit in another language."""
        return replace(self, words=words_of(language))

    def may(self, permission: str) -> bool:
        """Say whether some seat of the visitor gives a permission."""
        return self.actor.may(permission)

    def problem(self, code: str, params: Mapping[str, object] | None = None) -> str:
        """Say an error's code in the reader's language."""
        catalogues = ("errors", "problems", "findings", "expressions")
        found = (say(catalogue, code, self.language, params) for catalogue in catalogues)
        return next(filter(None, found), "") or self.words.t("shell.something_wrong")

    def finding(self, code: str, params: Mapping[str, object] | None = None) -> str:
        """Say what is wrong with a diagram or a table."""
        catalogues = ("findings", "expressions", "problems", "errors")
        found = (say(catalogue, code, self.language, params) for catalogue in catalogues)
        return next(filter(None, found), "") or self.words.t("shell.something_wrong")


class Pages:
    """The pages about one noun."""

    def __init__(self, name: str) -> None:
        """Make their blueprint."""
        self.blueprint = Blueprint(f"pages_{name}", f"api.pages.{name}")

    def get(self, rule: str, *, permission: str | None = None, signed_in: bool = True) -> Callable[[Handler], Handler]:
        """Declare a page that only shows."""
        return self._declare("GET", rule, permission, signed_in=signed_in)

    def post(self, rule: str, *, permission: str | None = None, signed_in: bool = True) -> Callable[[Handler], Handler]:
        """Declare what a form does: it leads to another page, or shows the same one with what is wrong."""
        return self._declare("POST", rule, permission, signed_in=signed_in)

    def _declare(
        self, method: str, rule: str, permission: str | None, *, signed_in: bool
    ) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            def view(**parts: str) -> Answer:
                return step_up.with_cookie(_answer(handler, parts, permission, signed_in=signed_in))

            self.blueprint.add_url_rule(
                rule, endpoint=handler.__name__, view_func=view, methods=[method], provide_automatic_options=False
            )
            return handler

        return add


def see(address: str) -> Response:
    """Send the browser to another page, so that loading again repeats nothing."""
    answer = Response(status=303)
    answer.headers["Location"] = address
    return answer


def own_address(address: str | None, otherwise: str = "/work") -> str:
    """Give an address of this service only: never another site's, whatever a link says."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or "\\" in address:
        return otherwise
    try:
        parts = urlsplit(address)
    except ValueError:
        return otherwise
    return address if not parts.netloc and not parts.scheme and address.isprintable() else otherwise


def _answer(handler: Handler, parts: Mapping[str, str], permission: str | None, *, signed_in: bool) -> Answer:
    visit = None
    try:
        visit = _visit(signed_in=signed_in)
        if any(unstorable(text) for text in (*parts.values(), *request.args.values())):
            raise NotFound
        if permission is not None and not visit.actor.may(permission):
            raise NotAllowed("not_allowed", permission=permission)
        if step_up.carries_code():
            return _with_code(visit, handler, parts)
        require_proof(visit.actor, permission, reading=request.method in _SAFE)
        return _packed(handler(visit, **parts))
    except NotSignedIn:
        return _signed_out()
    except NrmError as error:
        return _told(visit or stranger(), error)


def _signed_out() -> Answer:
    """Ask to sign in; what was typed into a form is carried past it."""
    if request.method in _SAFE:
        return see("/sign-in?next=" + quote(request.full_path.rstrip("?"), safe=""))
    kept, before = ended.typed(), ended.who_was_in()
    if not kept or before is None:
        return see("/sign-in?ended=1")
    return ask_to_sign_in(stranger().in_language(before[1]), kept=ended.carry(kept, _here()), ended=True)


def ask_to_sign_in(
    visit: Visit, *, next_page: str = "/work", login: str = "", wrong: str = "", ended: bool = False, kept: Kept = ()
) -> Response:
    """Show the page that asks who it is.

    Args:
        visit: of somebody who is not signed in.
        next_page: where it leads.
        login: the name that was typed.
        wrong: why it did not do.
        ended: a session has ended.
        kept: hidden fields with what was typed before.
    """
    return visit.show(
        "session/sign_in.html",
        status=401 if wrong or kept else 200,
        next_page=next_page,
        login=login,
        wrong=wrong,
        ended=ended,
        kept=kept,
        has_files=bool(kept and any(one.filename for one in request.files.values())),
        demo=installation().config.demo,
        languages=own_names(),
    )


def _told(visit: Visit, error: NrmError) -> Answer:
    """Turn an error into a page: one that leads on where something is missing, else one that says what is wrong."""
    if error.code in _LEADS_TO:
        return see(_LEADS_TO[error.code] + "?next=" + quote(_here(), safe=""))
    if error.code == NEEDED:
        return _packed(step_up.ask(visit, _here()))
    return wrong(visit, error)


def _here() -> str:
    """Give the address of this request."""
    return own_address(request.full_path.rstrip("?"))


def _with_code(visit: Visit, handler: Handler, parts: Mapping[str, str]) -> Answer:
    """Go on with what was asked when the code that came with it is right; else ask again."""
    try:
        visit = step_up.prove(visit)
    except (NotValid, TooMany) as error:
        return _packed(step_up.ask(visit, _here(), error=error))
    try:
        return _packed(handler(visit, **parts))
    except NrmError as error:
        return _told(visit, error)


def _visit(*, signed_in: bool) -> Visit:
    if not signed_in:
        if request.method not in _SAFE:
            same_site(request)
        visit = stranger()
    else:
        asked = who_asks(request)
        g.actor_id, g.language = asked.actor.id, asked.actor.language
        visit = Visit(actor=asked.actor, session_id=asked.session_id, words=words_of(asked.actor.language))
        if request.method not in _SAFE and not hmac.compare_digest(request.form.get("token", ""), _token()):
            raise Refused(403, "other_site")
    visit.query = request.args
    if request.method not in _SAFE:
        visit.form, visit.files = request.form, request.files
    return visit


def nobody() -> Actor:
    """Give who visits where nobody is signed in."""
    return _NOBODY


def stranger() -> Visit:
    """Give a visit by somebody who is not signed in."""
    return Visit(actor=_NOBODY, session_id="", words=words_of(wished_language(request)))


def wished_language(asked: Request) -> str:
    """Give the language that a browser asks for: what was chosen before, else what it says it reads."""
    chosen = asked.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return asked.accept_languages.best_match(LANGUAGES) or str(packs.pack().country.get("default_language", "en"))


def words_of(language: str) -> Words:
    """Give the words of a language, with the country's time."""
    pack = packs.pack()
    language = language if language in LANGUAGES else "en"
    months = pack.country.get("months")
    named = months.get(language) if isinstance(months, dict) else None
    return Words(
        language=language,
        zone=pack.calendar_for(None).zone,
        now=installation().clock.now(),
        months=tuple(str(month) for month in named) if isinstance(named, list) else (),
        digits=str(pack.country.get("default_digits", "latin")),
    )


def _token() -> str:
    """Give the token of the session's forms: another site cannot know it."""
    try:
        secret = g.get("fresh_secret") or secret_of(request)
    except NotSignedIn:
        return ""
    return ended.form_token(secret)


def wrong(visit: Visit, error: NrmError) -> Response:
    """Show what is wrong, with what was typed, so that nothing is lost."""
    if isinstance(error, Refused):
        status = error.status
    else:
        status = next((number for kind, number in STATUSES if isinstance(error, kind)), 500)
    problems = [visit.problem(one.code, one.params) for one in error.problems] if isinstance(error, NotValid) else []
    again = isinstance(error, StaleVersion)
    answer = visit.show(
        "shell/wrong.html",
        status=status,
        message=visit.problem(error.code, error.params),
        problems=problems,
        typed=typed_texts(visit.form.items(multi=True)),
        again=own_address(urlsplit(request.referrer or "").path, "/work") if again else None,
    )
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _packed(answer: Answer) -> Answer:
    """Compress a page. The session cookie never comes with another site's request, so nobody can probe its size."""
    if not isinstance(answer, Response) or not (answer.content_type or "").startswith("text/html"):
        return answer
    body = answer.get_data()
    if len(body) < _WORTH_PACKING or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return answer
    answer.set_data(gzip.compress(body, 6, mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def own_names() -> Mapping[str, str]:
    """Give what each language calls itself, for the switch."""
    return OWN_NAMES
