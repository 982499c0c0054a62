"""OAuth for partners' programs: tokens by secret and by signature, what they are good for, and their end."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from sqlalchemy import func, select

from api.security.limits import SharedLimits
from api.transport.rates import Policy
from nrm.actions.keys import IssuedKey, issue_key, revoke_key, rotate_key
from nrm.actions.schedules import run_schedule
from nrm.actors import SYSTEM
from nrm.errors import NotValid
from nrm.models import AccessToken, Organisation, UsedAssertion
from tests.api.conftest import Browser, Office

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}
BY_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUDIENCE = "http://127.0.0.1:8000/api/v1/oauth/token"

PAIRS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def organisation(office: Office) -> str:
    found = select(Organisation.id).where(Organisation.kind == "ngo").order_by(Organisation.id)
    return str(office.land.session.execute(found).scalars().first())


def client_with_secret(office: Office, *scopes: str, **terms: Any) -> IssuedKey:
    return issue_key(
        SYSTEM,
        organisation(office),
        name="case system",
        scopes=scopes or ("referrals:read", "referrals:act"),
        kind="client_secret",
        **terms,
    )


def basic(client: IssuedKey, secret: str | None = None) -> dict[str, str]:
    pair = f"{client.id}:{client.text if secret is None else secret}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def ask(office: Office, form: dict[str, str] | bytes, path: str = "/oauth/token", **how: Any) -> Any:
    browser = Browser(client=office.app.test_client(use_cookies=False))
    return browser.ask("POST", path, data=form, content_type=how.pop("content_type", FORM), **how)


def bearer(office: Office, answer: Any) -> Browser:
    token = answer.get_json()["access_token"]
    return Browser(client=office.app.test_client(use_cookies=False), headers={"Authorization": f"Bearer {token}"})


def jwk_of(pair: Any) -> dict[str, Any]:
    public = pair.public_key()
    kind = {
        ed25519.Ed25519PublicKey: jwt.algorithms.OKPAlgorithm,
        rsa.RSAPublicKey: jwt.algorithms.RSAAlgorithm,
    }.get(next((base for base in (ed25519.Ed25519PublicKey, rsa.RSAPublicKey) if isinstance(public, base)), object))
    return dict((kind or jwt.algorithms.ECAlgorithm).to_jwk(public, as_dict=True))


def signing_client(office: Office, pair: Any, **terms: Any) -> IssuedKey:
    return issue_key(
        SYSTEM,
        organisation(office),
        name="case system",
        scopes=["referrals:read"],
        kind="client_key",
        public_key=jwk_of(pair),
        **terms,
    )


def assertion(office: Office, client: IssuedKey, pair: Any, algorithm: str, **changes: Any) -> dict[str, str]:
    now = int(office.clock.now().timestamp())
    claims = {"iss": client.id, "sub": client.id, "aud": AUDIENCE, "jti": "once", "iat": now, "exp": now + 60}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    signed = jwt.encode(claims, pair, algorithm=algorithm)
    return {**GRANT, "client_assertion_type": BY_ASSERTION, "client_assertion": signed}


def test_a_program_gets_a_token_by_its_secret_and_asks_with_it(office: Office):
    client = client_with_secret(office)
    answer = ask(office, GRANT, headers=basic(client))
    body = answer.get_json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 900)
    assert body["scope"] == "referrals:act referrals:read"
    assert answer.headers["Cache-Control"] == "no-store"
    me = bearer(office, answer).get("/whoami").get_json()
    assert (me["kind"], me["credential_id"], me["livemode"]) == ("key", client.id, True)
    assert me["scopes"] == ["referrals:read", "referrals:act"]
    assert body["access_token"] not in str(office.land.session.execute(select(AccessToken.__table__)).all())


@pytest.mark.parametrize("algorithm", list(PAIRS))
def test_a_program_gets_a_token_by_its_signature(office: Office, algorithm: str):
    pair = PAIRS[algorithm]()
    client = signing_client(office, pair)
    assert client.text == ""
    answer = ask(office, assertion(office, client, pair, algorithm))
    assert answer.status_code == 200, answer.text
    assert bearer(office, answer).get("/referrals").status_code == 200


def test_an_assertion_is_taken_once_also_when_it_comes_twice_at_once(office: Office):
    pair = PAIRS["EdDSA"]()
    client = signing_client(office, pair)
    form = assertion(office, client, pair, "EdDSA")
    answers: list[int] = []
    gate = threading.Barrier(4)

    def run() -> None:
        gate.wait()
        sender = office.app.test_client(use_cookies=False)
        answers.append(sender.post("/api/v1/oauth/token", data=form, content_type=FORM).status_code)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [200, 401, 401, 401]
    assert ask(office, assertion(office, client, pair, "EdDSA", jti="another")).status_code == 200


def test_an_assertion_that_says_something_else_is_refused(office: Office):
    pair = PAIRS["EdDSA"]()
    client, stranger = signing_client(office, pair), PAIRS["EdDSA"]()
    now = int(office.clock.now().timestamp())
    wrong: list[dict[str, Any]] = [
        {"exp": now - 30},
        {"exp": now + 3_600},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"aud": "https://elsewhere.example/token"},
        {"aud": [AUDIENCE, "https://elsewhere.example"]},
        {"aud": None},
        {"iss": "cli_" + "0" * 26},
        {"sub": "cli_" + "0" * 26},
        {"jti": None},
        {"jti": "x" * 201},
        {"jti": ""},
        {"nbf": now + 600},
        {"iat": now + 600},
    ]
    for changes in wrong:
        answer = ask(office, {**assertion(office, client, pair, "EdDSA", **changes), "client_id": client.id})
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client"), changes
    forged = assertion(office, client, stranger, "EdDSA")
    assert ask(office, forged).status_code == 401
    claims = {"iss": client.id, "sub": client.id, "aud": AUDIENCE, "jti": "a", "exp": now + 30}
    for other in (
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, "x" * 40, algorithm="HS256"),
        jwt.encode(claims, PAIRS["ES256"](), algorithm="ES256"),
        "a.b.c",
        "." * 9,
        "x" * 9_000,
    ):
        assert ask(office, {**forged, "client_assertion": other}).status_code == 401
    assert office.land.session.execute(select(func.count()).select_from(UsedAssertion)).scalar_one() == 0


def test_requests_that_are_none_are_refused_as_the_standard_says(office: Office):
    client = client_with_secret(office)
    header = basic(client)
    cases: list[tuple[Any, dict[str, str], int, str]] = [
        (GRANT, {}, 401, "invalid_client"),
        (GRANT, basic(client, "nrm_client_" + "0" * 46), 401, "invalid_client"),
        (GRANT, basic(client, ""), 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic ???"}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()}, 401, "invalid_client"),
        ({**GRANT, "client_id": client.id, "client_secret": client.text}, {}, 401, "invalid_client"),
        ({**GRANT, "client_id": "cli_other"}, header, 400, "invalid_request"),
        ({"grant_type": "password", "username": "x"}, header, 400, "unsupported_grant_type"),
        ({"a": "b"}, header, 400, "invalid_request"),
        (b"", header, 400, "invalid_request"),
        (b"grant_type=client_credentials&grant_type=client_credentials", header, 400, "invalid_request"),
        (b"\xff\xfe=%00", header, 400, "invalid_request"),
        (b"grant_type=client_credentials&scope=%00", header, 400, "invalid_request"),
        ({**GRANT, "scope": "subject:read"}, header, 400, "invalid_scope"),
        ({**GRANT, "scope": "moon:walk"}, header, 400, "invalid_scope"),
        ({**GRANT, "client_assertion": "x"}, header, 400, "invalid_request"),
    ]
    for form, headers, status, error in cases:
        answer = ask(office, form, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (status, error), (form, headers)
        assert answer.get_json()["error_description"].isascii()
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    json = ask(office, b"{}", content_type="application/json", headers=header)
    assert (json.status_code, json.get_json()["code"]) == (415, "not_form_type")
    large = ask(office, b"a=" + b"x" * 20_000, headers=header)
    assert large.status_code == 413
    assert office.land.session.execute(select(func.count()).select_from(AccessToken)).scalar_one() == 0


def test_a_token_may_be_asked_for_less(office: Office):
    client = client_with_secret(office)
    program = bearer(office, ask(office, {**GRANT, "scope": "referrals:read"}, headers=basic(client)))
    assert program.get("/referrals").status_code == 200
    answer = program.post("/referrals/ref_1/accept", {"version": 1})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")


def test_a_token_ends_by_time_by_revocation_and_with_its_client(office: Office):
    client, other = client_with_secret(office), client_with_secret(office)
    first, second, third = (bearer(office, ask(office, GRANT, headers=basic(client))) for _ in range(3))

    def revoke(of: Browser, by: IssuedKey) -> int:
        token = of.headers["Authorization"].removeprefix("Bearer ")
        return int(ask(office, {"token": token}, "/oauth/revoke", headers=basic(by)).status_code)

    assert revoke(first, other) == 200
    assert first.get("/whoami").status_code == 200, "another client's word counts for nothing"
    assert revoke(first, client) == 200
    assert revoke(first, client) == 200
    assert first.get("/whoami").status_code == 401
    office.clock.move(timedelta(minutes=14))
    assert second.get("/whoami").status_code == 200
    office.clock.move(timedelta(minutes=1))
    assert second.get("/whoami").status_code == 401
    del third
    fourth = bearer(office, ask(office, GRANT, headers=basic(client)))
    revoke_key(SYSTEM, client.id)
    assert fourth.get("/whoami").status_code == 401
    assert ask(office, GRANT, headers=basic(client)).status_code == 401
    assert ask(office, {"a": "b"}, "/oauth/revoke", headers=basic(other)).get_json()["error"] == "invalid_request"


def test_old_tokens_and_assertions_are_forgotten(office: Office):
    pair = PAIRS["EdDSA"]()
    client = signing_client(office, pair)
    assert ask(office, assertion(office, client, pair, "EdDSA")).status_code == 200
    office.clock.move(timedelta(hours=1))
    run_schedule(SYSTEM, "forget_tokens", {})
    for table in (AccessToken, UsedAssertion):
        assert office.land.session.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_client_counts_only_from_its_networks(office: Office):
    client = client_with_secret(office, networks=["192.0.2.0/24"])
    assert ask(office, GRANT, headers=basic(client)).status_code == 401
    inside = {"REMOTE_ADDR": "192.0.2.9"}
    answer = ask(office, GRANT, headers=basic(client), environ_base=inside)
    program = bearer(office, answer)
    assert program.get("/whoami").status_code == 401
    assert program.get("/whoami", environ_base=inside).status_code == 200


def test_a_replaced_secret_counts_for_one_more_day(office: Office):
    old = client_with_secret(office)
    new = rotate_key(SYSTEM, old.id)
    assert new.id != old.id
    for client in (old, new):
        assert ask(office, GRANT, headers=basic(client)).status_code == 200
    office.clock.move(timedelta(hours=24))
    assert ask(office, GRANT, headers=basic(old)).status_code == 401
    assert ask(office, GRANT, headers=basic(new)).status_code == 200


def test_keys_that_are_weak_or_private_are_not_taken(office: Office):
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    good = jwk_of(PAIRS["EdDSA"]())
    cases: dict[str, list[dict[str, Any]]] = {
        "private_key_sent": [{**good, "d": "AAAA"}, {"kty": "oct", "k": "AAAA"}],
        "bad_public_key": [
            jwk_of(weak),
            {},
            {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
            {"kty": "OKP", "crv": "Ed25519", "x": 7},
            {"kty": ["RSA"]},
            {"kty": "RSA", "n": "AAAA", "e": "x" * 2_000},
        ],
    }
    for code, keys in cases.items():
        for jwk in keys:
            with pytest.raises(NotValid) as caught:
                issue_key(
                    SYSTEM,
                    organisation(office),
                    name="x",
                    scopes=["events:read"],
                    kind="client_key",
                    public_key=jwk,
                )
            assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [("/public_key", code)]


def test_who_guesses_at_the_token_door_has_to_wait(office: Office, tmp_path: Path):
    office.app.extensions["nrm.limits"] = SharedLimits(
        tmp_path / "few", {"token": Policy(name="token", rate=0.5, burst=2)}, clock=lambda: 1_000.0
    )
    answers = [ask(office, GRANT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert answers[0].headers["RateLimit-Policy"] == '"token";q=2;w=4'
