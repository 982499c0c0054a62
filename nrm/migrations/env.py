"""Alembic's entry: runs migrations on the connection that `nrm.migrations.run` opened."""

from __future__ import annotations

from alembic import context

from nrm.migrations.run import configure_context

configure_context(context)
with context.begin_transaction():
    context.run_migrations()
