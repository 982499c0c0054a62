"""Paths: list, read a version, draw it; forms."""

from __future__ import annotations

from flask import Response

from api.transport.endpoint import Ask, Noun
from api.transport.problems import language
from nrm.queries import path_list as queries
from nrm.queries.path_list import FormContent, PathRow, VersionView

paths = Noun("paths")

SVG = "image/svg+xml"


@paths.get("/paths", answer=tuple[PathRow, ...])
def list_paths(ask: Ask) -> tuple[PathRow, ...]:
    """List the paths with their versions."""
    return queries.path_list(ask.actor)


@paths.get("/path-versions/<version_id>", answer=VersionView)
def read_version(ask: Ask, version_id: str) -> VersionView:
    """Read a published version: its steps, and the diagram itself."""
    return queries.path_version(ask.actor, version_id)


@paths.get("/path-versions/<version_id>/drawing", answer=str, media=SVG)
def draw_version(ask: Ask, version_id: str) -> Response:
    """Draw a version."""
    return Response(queries.version_drawing(ask.actor, version_id, language=language()), content_type=SVG)


@paths.get("/form-versions/<form_version_id>", answer=FormContent)
def read_form(ask: Ask, form_version_id: str) -> FormContent:
    """Read a form as it was frozen."""
    return queries.form_version(ask.actor, form_version_id)
