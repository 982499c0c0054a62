"""Requests that are refused for how they were sent, before any action hears of them."""

from __future__ import annotations

from nrm.errors import NrmError


class Refused(NrmError):
    """The request itself is wrong."""

    code = "bad_request"

    def __init__(self, status: int, code: str, /, **params: str | int | None) -> None:
        """Keep the answer's status, its code and the values of its sentence."""
        super().__init__(code, **params)
        self.status = status
