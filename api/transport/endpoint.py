"""One declaration per verb: who may ask, what comes in, what goes out. It answers requests and writes the OpenAPI.

```
@tasks.post("/tasks/<id>/claim", answer=TaskResult, versioned=True)
def claim(ask: Ask, id: str) -> TaskResult:
    return claim_task(ask.actor, id, version=ask.version)
```

A request goes through: route → who asks → permission → body limits and JSON → schema → version → the verb →
answer with ETag. Whatever is wrong on the way is an error of `nrm.errors` and becomes a problem in one place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from flask import Blueprint, Request, Response, current_app, g, request
from marshmallow import Schema

from api.transport import cursors
from api.transport.body import LIMIT, load, read_json, read_query, read_stamp, read_version
from api.transport.fields import Body, Paged, Versioned
from api.transport.lifetimes import Lifetime, announce_end
from api.transport.problems import answer_error
from api.transport.rates import Limits, Taken, announce
from api.transport.refusals import Refused
from api.transport.shapes import write_json
from nrm.actions._action import Idempotency, Replayed, idempotent
from nrm.actors import Actor, ActorKind
from nrm.errors import NotAllowed, NotFound, NotValid, NrmError, Problem, TooMany
from nrm.queries.page import Key, Page
from nrm.rules.permissions import SCOPES
from nrm.rules.step_up import require_proof
from nrm.vocabulary import ReadPurpose

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
JSON_TYPE: Final = "application/json"
PURPOSE: Final = "NRM-Purpose"
ANY_KEY: Final = "any"
"""The scope of what each key may ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks.

    Attributes:
        actor: the signed-in user, or the partner behind a key.
        session_id: the session; "" for a key.
    """

    actor: Actor
    session_id: str


class WhoAsks(Protocol):
    """Finds out who asks."""

    def __call__(self, request: Request) -> Asked:
        """Give who asks.

        Raises:
            NotSignedIn: nobody.
            Refused: the request comes from another site, or names two who ask.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Ask:
    """One request, checked.

    Attributes:
        actor: who asks.
        session_id: id of the session; "" for a key, and where nobody needs to be signed in.
        body: the checked body without its version.
        query: the checked query string without its cursor.
        version: the version that a change is based on.
        seen: the stamp that a change is based on.
        after: the key after which the page begins.
        limit: wished rows of a page.
        purpose: what a program reads personal data for; None when it did not say.
    """

    actor: Actor
    session_id: str
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    version: int | None = None
    seen: str = ""
    after: Key | None = None
    limit: int = 50
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is declared of one endpoint.

    Attributes:
        noun: name of the module that it is in.
        name: name of its function.
        method: HTTP method.
        rule: path below /api/v1, as Flask writes it.
        summary: its first line of documentation.
        description: the rest.
        body: schema of the body.
        query: schema of the query string.
        answer: type of the answer, None for an empty one.
        paged: the answer is a page of that type.
        status: status of a good answer.
        signed_in: somebody must be signed in.
        permission: a permission that is needed in any case.
        scope: the scope that a partner's key needs, `ANY_KEY` where each key will do; None where keys may not ask.
        versioned: a version must be given, by If-Match or in the body.
        limit: most bytes of a body.
        shape: turns the verb's result into the answer.
        media: media type of a good answer.
        tagged: the answer may be kept under its ETag, and 304 says that it is still good.
        upload: media types of a file that is the whole body; then there is no JSON.
        keyed: an Idempotency-Key is kept with the answer.
        purposed: a program may say in a header what it reads personal data for.
        refusal: type of the body of 400 and 401 where a standard asks for another one than a problem.
        limited: name of a limit that counts for whoever asks, beside that of keys.
        lifetime: when the operation ends; None while it does not.
        handler: the verb.
    """

    noun: str
    name: str
    method: str
    rule: str
    summary: str
    description: str
    body: Schema | None
    query: Schema | None
    answer: Any
    paged: bool
    status: int
    signed_in: bool
    permission: str | None
    scope: str | None
    versioned: bool
    limit: int
    shape: Callable[[Any], object] | None
    media: str
    tagged: bool
    upload: tuple[str, ...]
    keyed: bool
    purposed: bool
    refusal: Any
    limited: str
    lifetime: Lifetime | None
    handler: Callable[..., object]


OPERATIONS: Final[list[Operation]] = []
"""Every endpoint, in the order of declaration."""

_NOBODY: Final = Asked(actor=Actor(kind="user", id="", seats=()), session_id="")  # type: ignore[arg-type]


class Noun:
    """The endpoints about one noun."""

    def __init__(self, name: str, *, prefix: str = "/api/v1") -> None:
        """Make its blueprint.

        Args:
            name: the plural noun, the name of its module.
            prefix: path before every rule.
        """
        self.name = name
        self.prefix = prefix
        self.blueprint = Blueprint(name, f"api.v1.{name}", url_prefix=prefix)

    def get(self, rule: str, **declared: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:  # noqa: ANN401
        """Declare a reading endpoint; arguments as for `declare`."""
        return self.declare("GET", rule, **declared)

    def post(self, rule: str, **declared: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:  # noqa: ANN401
        """Declare a verb; arguments as for `declare`."""
        return self.declare("POST", rule, **declared)

    def put(self, rule: str, **declared: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:  # noqa: ANN401
        """Declare an endpoint that replaces something; arguments as for `declare`."""
        return self.declare("PUT", rule, **declared)

    def patch(self, rule: str, **declared: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:  # noqa: ANN401
        """Declare an endpoint that changes fields; arguments as for `declare`."""
        return self.declare("PATCH", rule, **declared)

    def delete(self, rule: str, **declared: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:  # noqa: ANN401
        """Declare an endpoint that ends something; arguments as for `declare`."""
        return self.declare("DELETE", rule, **declared)

    def declare(
        self,
        method: str,
        rule: str,
        *,
        answer: Any = None,  # noqa: ANN401 - any type of an answer
        body: type[Body] | None = None,
        query: type[Body] | None = None,
        paged: bool = False,
        status: int | None = None,
        signed_in: bool = True,
        permission: str | None = None,
        scope: str | None = None,
        versioned: bool = False,
        limit: int = LIMIT,
        shape: Callable[[Any], object] | None = None,
        media: str = JSON_TYPE,
        tagged: bool = False,
        upload: tuple[str, ...] = (),
        keyed: bool = True,
        purposed: bool = False,
        refusal: Any = None,  # noqa: ANN401 - any type of an answer
        limited: str = "",
        lifetime: Lifetime | None = None,
    ) -> Callable[[Callable[..., object]], Callable[..., object]]:
        """Declare an endpoint.

        Args:
            method: HTTP method.
            rule: path after the prefix.
            answer: type of the answer, None for an empty one (204).
            body: schema of the body; a verb without one takes a version only.
            query: schema of the query string; a list has `Paged` at least.
            paged: the handler gives a `Page` of `answer`.
            status: status of a good answer; 200, or 204 without an answer.
            signed_in: somebody must be signed in.
            permission: a permission that is needed in any case.
            scope: the scope of `nrm.rules.permissions.SCOPES` that a partner's key needs; `ANY_KEY` where each key
                will do; None where only people may ask.
            versioned: If-Match or a version in the body is needed.
            limit: most bytes of a body.
            shape: turns the handler's result into the answer.
            media: media type of a good answer.
            tagged: the answer may be kept under its ETag.
            upload: media types of a file that is the whole body, instead of JSON.
            keyed: an Idempotency-Key is kept with the answer; False where repeating does no harm, or where a trace of
                the body or the answer must not stay (a password, names).
            purposed: a program may say in the header NRM-Purpose what it reads personal data for.
            refusal: type of the body of 400 and 401 where a standard asks for another one than a problem.
            limited: name of a limit that counts for whoever asks, people too.
            lifetime: when the operation ends.
        """
        takes_body = method in {"POST", "PUT", "PATCH", "DELETE"} and not upload
        schema = (body or (Versioned if versioned or method == "POST" else Body))() if takes_body else None
        if versioned and schema is not None and "version" not in schema.fields:
            raise RuntimeError(f"{rule}: a versioned verb has a schema of the kind Versioned")
        if scope is not None and scope not in {*SCOPES, ANY_KEY}:
            raise RuntimeError(f"{rule}: there is no scope {scope}")

        def add(handler: Callable[..., object]) -> Callable[..., object]:
            summary, _, rest = (handler.__doc__ or "").strip().partition("\n")
            operation = Operation(
                noun=self.name,
                name=handler.__name__,
                method=method,
                rule=self.prefix + rule,
                summary=summary.rstrip("."),
                description=re.sub(r"\s+", " ", rest).strip(),
                body=schema,
                query=(query or (Paged if paged else Body))() if method == "GET" or upload else None,
                answer=answer,
                paged=paged,
                status=status or (200 if answer is not None else 204),
                signed_in=signed_in,
                permission=permission,
                scope=scope,
                versioned=versioned,
                limit=limit,
                shape=shape,
                media=media,
                tagged=tagged,
                upload=upload,
                purposed=purposed,
                keyed=keyed and method == "POST" and signed_in and not upload,
                refusal=refusal,
                limited=limited,
                lifetime=lifetime,
                handler=handler,
            )
            OPERATIONS.append(operation)
            self.blueprint.add_url_rule(
                rule,
                endpoint=handler.__name__,
                view_func=_view(operation),
                methods=[method],
                provide_automatic_options=False,
            )
            return handler

        return add


def _view(operation: Operation) -> Callable[..., Response]:
    def view(**parts: str) -> Response:
        try:
            answer = _answer(operation, parts)
        except NrmError as error:
            answer = answer_error(error)
        taken: Taken | None = g.get("taken")
        if taken is not None:
            announce(answer, taken)
        if operation.lifetime is not None:
            announce_end(answer, operation.lifetime)
        return answer

    return view


def _answer(operation: Operation, parts: dict[str, str]) -> Response:
    # The request itself: each look through the proxy costs more than most of what is done with it.
    came: Request = request._get_current_object()  # type: ignore[attr-defined]
    asked = _who(operation, came)
    if not all(_PART.fullmatch(part) for part in parts.values()):
        raise NotFound
    _must_be_wanted(operation.media, came)
    ask = Ask(actor=asked.actor, session_id=asked.session_id)
    if operation.permission is not None and not asked.actor.may(operation.permission):
        raise NotAllowed("not_allowed", permission=operation.permission)
    require_proof(asked.actor, operation.permission, reading=operation.method == "GET")
    if operation.purposed:
        ask.purpose = _read_purpose(came)
    if operation.query is not None:
        _read_query(operation, ask, came)
    if operation.body is not None:
        _read_body(operation, ask, came)
    if not operation.keyed or "Idempotency-Key" not in came.headers:
        return _write(operation, operation.handler(ask, **parts))
    return _at_most_once(operation, ask, parts)


def _who(operation: Operation, came: Request) -> Asked:
    who: WhoAsks = current_app.extensions["nrm.who_asks"]
    if not operation.signed_in:
        if operation.limited:
            _count(came.remote_addr or "", operation.limited)
        return _NOBODY
    asked = who(came)
    about = g._get_current_object()
    about.actor, about.actor_id, about.language = asked.actor, asked.actor.id, asked.actor.language
    by_key = asked.actor.kind is ActorKind.KEY
    if by_key:
        _count(asked.actor.id, "key")
    if operation.limited:
        _count(asked.actor.id, operation.limited)
    if by_key:
        _must_have_scope(operation, asked.actor)
    return asked


def _count(who: str, kind: str) -> None:
    """Count a request.

    Raises:
        TooMany: there were too many.
    """
    limits: Limits = current_app.extensions["nrm.limits"]
    g.taken = limits.take(who, kind)
    if not g.taken.allowed:
        raise TooMany(g.taken.retry_after)


def _must_have_scope(operation: Operation, actor: Actor) -> None:
    if operation.scope is None:
        raise NotAllowed("not_for_keys")
    if operation.scope != ANY_KEY and not actor.may(operation.scope):
        raise NotAllowed("scope_missing", scope=operation.scope)


def _must_be_wanted(media: str, came: Request) -> None:
    """Refuse, before anything is done, a request whose answer the client says it could not read."""
    wanted = came.accept_mimetypes
    if wanted and not any(quality > 0 and _fits(media, kind) for kind, quality in wanted):
        raise Refused(406, "not_acceptable")


def _fits(media: str, kind: str) -> bool:
    plain = kind.partition(";")[0].strip().lower()
    return plain in {media, "*/*", media.partition("/")[0] + "/*"}


def _read_purpose(came: Request) -> str | None:
    purpose = came.headers.get(PURPOSE)
    if purpose is not None and purpose not in set(ReadPurpose):
        choices = ", ".join(ReadPurpose)
        raise NotValid([Problem(pointer="", code="unknown_purpose", params={"header": PURPOSE, "choices": choices})])
    return purpose


def _read_query(operation: Operation, ask: Ask, came: Request) -> None:
    if operation.query is None or not (came.query_string or operation.query.fields):
        return
    ask.query = read_query(came, operation.query)
    cursor = ask.query.pop("cursor", None)
    ask.limit = ask.query.pop("limit", ask.limit)
    if cursor:
        ask.after = cursors.read_cursor(f"{operation.noun}.{operation.name}", cursor)


def _read_body(operation: Operation, ask: Ask, came: Request) -> None:
    schema = operation.body
    assert schema is not None  # noqa: S101 - the caller has looked
    if came.query_string:
        raise NotValid([Problem(pointer="", code="no_query_here")])
    data = read_json(came, operation.limit)
    ask.body = load(schema, data)
    if "version" in schema.fields:
        ask.version = read_version(came, ask.body)
    if operation.versioned and ask.version is None:
        raise Refused(428, "precondition_required")
    if "seen" in schema.fields:
        ask.seen = read_stamp(came, ask.body)
    g.body_hash = hashlib.sha256(write_json(data)).hexdigest() if "Idempotency-Key" in came.headers else ""


def _at_most_once(operation: Operation, ask: Ask, parts: dict[str, str]) -> Response:
    key = request.headers["Idempotency-Key"]
    if not _KEY.fullmatch(key):
        raise Refused(400, "bad_idempotency_key")
    mark = "\n".join(
        (request.method, request.path, request.headers.get("If-Match", ""), g.body_hash, _sight(ask.actor))
    )

    def render(result: object) -> tuple[int, str]:
        return operation.status, _content(operation, result).decode()

    once = Idempotency(
        owner=_owner(ask.actor), key=key, fingerprint=hashlib.sha256(mark.encode()).hexdigest(), render=render
    )
    try:
        with idempotent(once):
            return _write(operation, operation.handler(ask, **parts))
    except Replayed as replayed:
        answer = Response(replayed.body, status=replayed.status, content_type=JSON_TYPE)
        answer.headers["Idempotent-Replayed"] = "true"
        return answer


def _owner(actor: Actor) -> str:
    """Give whose request keys these are: a user's own, or an organisation's (they outlive a change of its keys)."""
    if actor.kind is not ActorKind.KEY:
        return actor.id
    return actor.organisations[0] if actor.livemode else "test:" + actor.organisations[0]


def _sight(actor: Actor) -> str:
    """Give what a kept answer depends on: another key of the organisation may be allowed to see less of it."""
    if actor.kind is not ActorKind.KEY:
        return ""
    return ",".join(sorted(frozenset().union(*(seat.permissions for seat in actor.seats))))


def _content(operation: Operation, result: object) -> bytes:
    if operation.answer is None:
        return b""
    return write_json(operation.shape(result) if operation.shape is not None else result)


def _write(operation: Operation, result: object) -> Response:
    if isinstance(result, Response):
        return result
    if operation.paged:
        return _write_page(operation, result)
    shown = operation.shape(result) if operation.shape is not None else result
    if operation.answer is None:
        return Response(b"", status=operation.status)
    answer = Response(write_json(shown), status=operation.status, content_type=JSON_TYPE)
    version = getattr(shown, "version", None)
    if isinstance(version, int):
        answer.headers["ETag"] = f'"v{version}"'
    seen = getattr(shown, "seen", None)
    if isinstance(seen, str):
        answer.headers["ETag"] = f'"{seen}"'
    return answer


def _write_page(operation: Operation, result: object) -> Response:
    if not isinstance(result, Page):
        raise TypeError(f"{operation.name} gives no page")
    cursor = None
    if result.next_key is not None:
        cursor = cursors.write_cursor(f"{operation.noun}.{operation.name}", result.next_key)
    body = {"data": result.items, "next_cursor": cursor, "has_more": cursor is not None}
    answer = Response(write_json(body), status=operation.status, content_type=JSON_TYPE)
    if cursor is not None:
        others = [(name, value) for name, value in request.args.items() if name != "cursor"]
        answer.headers["Link"] = f'<{_next_link(others, cursor)}>; rel="next"'
    return answer


def _next_link(others: list[tuple[str, str]], cursor: str) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - only lists with more rows need it

    return request.path + "?" + urlencode([*others, ("cursor", cursor)])


def read_file(limit: int) -> bytes:
    """Give the body of an upload.

    Args:
        limit: most bytes.

    Raises:
        Refused: it is larger.
    """
    if (request.content_length or 0) > limit:
        raise Refused(413, "body_too_large", limit=limit)
    request.max_content_length = limit
    return request.get_data(cache=False)


def unchanged(etag: str) -> Response | None:
    """Give the empty answer 304 when the client has this version already.

    Args:
        etag: the ETag without its quotes.
    """
    if request.if_none_match.contains(etag):
        return Response(status=304, headers={"ETag": f'"{etag}"'})
    return None


def tagged(content: object, etag: str, *, seconds: int = 0) -> Response:
    """Write an answer that a client may keep under an ETag."""
    answer = Response(write_json(content), content_type=JSON_TYPE)
    answer.headers["ETag"] = f'"{etag}"'
    answer.headers["Cache-Control"] = f"private, max-age={seconds}, must-revalidate"
    return answer
