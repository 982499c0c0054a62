"""OAuth 2.0 for partners' programs: tokens by client credentials (RFC 6749 §4.4), and their revocation (RFC 7009).

These two take forms and refuse in the shape of their standards, so that any OAuth library can use them.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from flask import Response, request

from api.transport.endpoint import JSON_TYPE, Ask, Noun, read_file
from api.transport.problems import TYPE, say
from api.transport.refusals import Refused
from api.transport.shapes import write_json
from nrm.actions.tokens import ClientRefused, Proof, issue_token, revoke_token
from nrm.installation import installation

oauth = Noun("oauth")

FORM: Final = "application/x-www-form-urlencoded"
BY_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH: Final = "/api/v1/oauth/token"  # noqa: S105 - an address
_LARGEST: Final = 16_000
_FIELDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, as RFC 6749 §5.1 writes it.

    Attributes:
        expires_in: seconds for which it counts.
        scope: what it is good for, with blanks between.
    """

    access_token: str
    token_type: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthError:
    """A refusal, as RFC 6749 §5.2 writes it."""

    error: str
    error_description: str
    error_uri: str


@oauth.post(
    "/oauth/token", upload=(FORM,), answer=Token, signed_in=False, refusal=OAuthError, limited="token", limit=_LARGEST
)
def token(ask: Ask) -> Token | Response:
    """Get a token for fifteen minutes.

    grant_type is client_credentials. The client shows who it is by HTTP Basic with its id and secret, or by
    client_assertion (private_key_jwt: EdDSA, ES256 or PS256; iss and sub are the client's id, aud is this address or
    the service's, jti is used once, exp at most 60 seconds ahead). scope may ask for less than the client has.
    """
    del ask
    try:
        form = _form()
        proof = _proof(form)
        if form.get("grant_type") != "client_credentials":
            raise ClientRefused("unsupported_grant_type" if "grant_type" in form else "invalid_request")
        issued = issue_token(proof, scopes=form["scope"].split() if "scope" in form else None)
    except ClientRefused as refused:
        return _refuse(refused)
    return Token(
        access_token=issued.text,
        token_type="Bearer",  # noqa: S106 - a kind of token
        expires_in=issued.seconds,
        scope=" ".join(issued.scopes),
    )


@oauth.post("/oauth/revoke", upload=(FORM,), signed_in=False, status=200, refusal=OAuthError, limited="token")
def revoke(ask: Ask) -> Response:
    """End one of the client's tokens before its time; one that is none is no mistake."""
    del ask
    try:
        form = _form()
        proof = _proof(form)
        if "token" not in form:
            raise ClientRefused("invalid_request")
        revoke_token(proof, form["token"])
    except ClientRefused as refused:
        return _refuse(refused)
    return Response(b"", status=200)


def _form() -> dict[str, str]:
    if request.mimetype != FORM:
        raise Refused(415, "not_form_type")
    try:
        pairs = parse_qsl(
            read_file(_LARGEST).decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS
        )
    except ValueError:
        raise ClientRefused("invalid_request") from None
    form = {name: value for name, value in pairs if value}
    # RFC 6749 §3.2: a parameter is given once; one without a value counts as not given.
    if len({name for name, _ in pairs}) != len(pairs) or any("\0" in value for value in form.values()):
        raise ClientRefused("invalid_request")
    return form


def _proof(form: dict[str, str]) -> Proof:
    address = request.remote_addr or ""
    by_header = "Authorization" in request.headers
    if "client_assertion" in form:
        if by_header or form.get("client_assertion_type") != BY_ASSERTION:
            raise ClientRefused("invalid_request")
        public = installation().config.public_url
        return Proof(
            client_id=form.get("client_id", ""),
            assertion=form["client_assertion"],
            audiences=(public, public + TOKEN_PATH),
            address=address,
        )
    if "client_secret" in form:
        # A secret in a form ends in logs more easily than one in the header (RFC 6749 §2.3.1).
        raise ClientRefused("invalid_client")
    client_id, secret = _basic() if by_header else ("", "")
    if form.get("client_id", client_id) != client_id:
        raise ClientRefused("invalid_request")
    return Proof(client_id=client_id, secret=secret, address=address)


def _basic() -> tuple[str, str]:
    """Read the header as RFC 6749 §2.3.1 has it: both parts are form-encoded before they are joined."""
    scheme, _, rest = request.headers["Authorization"].strip().partition(" ")
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon or len(text) > 1_000:
        raise ClientRefused
    return unquote_plus(client_id), unquote_plus(secret)


def _refuse(refused: ClientRefused) -> Response:
    status = 401 if refused.code == "invalid_client" else 400
    error = OAuthError(
        error=refused.code,
        # The standard allows plain ASCII here; the address leads to the other languages.
        error_description=say(refused.code, words="en"),
        error_uri=installation().config.public_url + TYPE + refused.code,
    )
    answer = Response(write_json(error), status=status, content_type=JSON_TYPE)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="nrm"'
    return answer
