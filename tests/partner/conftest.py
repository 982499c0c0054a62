"""The documentation as a partner has it before them: pages, examples, and the service itself on a real port."""

from __future__ import annotations

from tests.api.conftest import office, opened, password_hash

__all__ = ["office", "opened", "password_hash"]
