"""The web application: settings, database, doors, and what every answer has."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from typing import Final

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from api import logs
from api.openapi import document
from api.pages import welcome
from api.pages.kit.failures import failure_page, wants_page
from api.pages.nouns import register_pages
from api.security.asking import refuse_secret_in_address, who_asks
from api.security.headers import SecureHeaders
from api.security.limits import SharedLimits, policies_of
from api.security.request_log import RequestLog
from api.transport.body import LIMIT
from api.transport.endpoint import tagged, unchanged
from api.transport.problems import answer_error, answer_failure, answer_http, code_of
from api.transport.shapes import write_json
from api.v1.nouns import NOUNS
from nrm.clock import Clock
from nrm.config import Config, read_config
from nrm.db import db, engine_options, prepare_engine
from nrm.errors import NrmError
from nrm.installation import install

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UPLOADS: Final = 25_000_000


def create_app(config: Config | None = None, clock: Clock | None = None) -> Flask:
    """Make the application.

    Args:
        config: the settings; None to read them from the environment.
        clock: another clock than the settings ask for (tests).

    Raises:
        BadSetting: a setting cannot be used.
    """
    config = config or read_config(os.environ)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    app = Flask("api", static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(config.database_url, pool_size=config.pool_size)
    app.config["MAX_CONTENT_LENGTH"] = max(LIMIT, _UPLOADS)
    app.url_map.strict_slashes = False
    # An address is right or wrong; a redirect would repeat the Host header that somebody made up.
    app.url_map.merge_slashes = False
    db.init_app(app)
    install(config, clock)
    with app.app_context():
        prepare_engine(db.engine)
    app.extensions["nrm.who_asks"] = who_asks
    app.extensions["nrm.request_log"] = RequestLog(app)
    app.extensions["nrm.limits"] = SharedLimits(config.data_dir / "request-limits", policies_of(config))
    for noun in NOUNS:
        app.register_blueprint(noun.blueprint)
    app.add_url_rule("/api/v1/openapi.json", endpoint="openapi", view_func=_openapi, methods=["GET"])
    register_pages(app)
    if config.demo:
        app.register_blueprint(welcome.blueprint)
    _add_handlers(app, config)
    app.wsgi_app = SecureHeaders(app.wsgi_app, over_https=config.cookie_secure)  # type: ignore[method-assign]
    if config.trusted_proxies:
        number = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number)  # type: ignore[method-assign]
    logs.configure(config.log_level)
    return app


def _add_handlers(app: Flask, config: Config) -> None:
    log = logs.log()
    kept: RequestLog = app.extensions["nrm.request_log"]

    def begin() -> None:
        # The things themselves: each look through their proxies costs more than what is done with them.
        came, about = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]
        given = came.headers.get("X-Request-Id", "")
        about.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        about.started = time.perf_counter()
        about.actor = about.taken = about.problem = None
        refuse_secret_in_address(came)

    def finish(answer: Response) -> Response:
        known, came = g._get_current_object(), request._get_current_object()  # type: ignore[attr-defined]
        method, rule = came.method, came.url_rule
        answer.headers["X-Request-Id"] = known.get("request_id", "")
        now = time.perf_counter()
        kept.note(answer, known.get("actor"))
        if kept.waits:
            # Once the answer has left: nobody waits for it.
            answer.call_on_close(kept.flush_when_due)
        log.info(
            "request",
            request_id=known.get("request_id"),
            # Somebody may send any word as a method.
            method=method if method in _METHODS else "other",
            route=rule.rule if rule else None,
            status=answer.status_code,
            ms=round((now - known.get("started", now)) * 1000, 1),
            actor=known.get("actor_id"),
        )
        return answer

    def failed(error: Exception) -> Response:
        log.error("failure", request_id=g.get("request_id"), error=type(error).__name__, where=logs.where(error))
        if not wants_page(request):
            return answer_failure()
        try:
            return failure_page(request, 500, "internal")
        except Exception as second:  # what failed the page may fail this one too, and something must be said
            log.error("failure", request_id=g.get("request_id"), error=type(second).__name__, where=logs.where(second))
            return answer_failure()

    app.before_request(begin)
    app.after_request(finish)
    app.register_error_handler(NrmError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, failed)


def _openapi() -> Response:
    content = document()
    etag = hashlib.sha256(write_json(content)).hexdigest()[:16]
    return unchanged(etag) or tagged(content, etag, seconds=300)


def _answer_http(error: HTTPException) -> Response:
    methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    headers = {"Allow": ", ".join(sorted(methods))} if methods else {}
    status = error.code or 500
    if not wants_page(request):
        return answer_http(status, headers)
    answer = failure_page(request, status, code_of(status))
    answer.headers.update(headers)
    return answer
