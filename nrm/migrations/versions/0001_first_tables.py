"""Make the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nrm.db import UtcDateTime
from nrm.migrations.append_only import install_triggers, remove_triggers
from nrm.migrations.event_order import install_order, remove_order

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_entries",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("list", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_entries")),
        sa.UniqueConstraint("list", "code", name=op.f("uq_code_entries_list_code")),
    )
    op.create_table(
        "event_heads",
        sa.Column("stream", sa.String(length=31), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_event_heads")),
    )
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream", sa.String(length=31), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=True),
        sa.Column("sender_id", sa.String(length=31), nullable=True),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_events_stream_seq")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_at", ["at"], unique=False)
        batch_op.create_index(
            "ix_events_organisation",
            ["organisation_id", "position"],
            unique=False,
            postgresql_where=sa.text("organisation_id IS NOT NULL"),
            sqlite_where=sa.text("organisation_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_events_sender",
            ["sender_id", "position"],
            unique=False,
            postgresql_where=sa.text("sender_id IS NOT NULL"),
            sqlite_where=sa.text("sender_id IS NOT NULL"),
        )
        batch_op.create_index("ix_events_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "form_versions",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_versions")),
        sa.UniqueConstraint("key", "number", name=op.f("uq_form_versions_key_number")),
        sa.UniqueConstraint("key", "sha256", name=op.f("uq_form_versions_key_sha256")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_created_at"), ["created_at"], unique=False)

    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=True),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("dedup_key", sa.String(length=160), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_dead",
            ["id"],
            unique=False,
            postgresql_where=sa.text("state = 'dead'"),
            sqlite_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_jobs_due",
            ["queue", "due_at"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_jobs_lease",
            ["lease_until"],
            unique=False,
            postgresql_where=sa.text("state = 'running'"),
            sqlite_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(
            "ix_jobs_timers",
            ["case_id"],
            unique=False,
            postgresql_where=sa.text("kind = 'timer'"),
            sqlite_where=sa.text("kind = 'timer'"),
        )
        batch_op.create_index(
            "uq_jobs_dedup_key",
            ["dedup_key"],
            unique=True,
            postgresql_where=sa.text("dedup_key IS NOT NULL AND state <> 'dead'"),
            sqlite_where=sa.text("dedup_key IS NOT NULL AND state <> 'dead'"),
        )

    op.create_table(
        "letter_counters",
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "year", "livemode", "direction", name=op.f("pk_letter_counters")),
    )
    op.create_table(
        "manifests",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.Column("imported_by", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifests")),
        sa.UniqueConstraint("sha256", name=op.f("uq_manifests_sha256")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("jurisdiction", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("letter_language", sa.String(length=8), nullable=True),
        sa.Column("letter_digits", sa.String(length=8), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
    )
    op.create_table(
        "pack_items",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_pack_items")),
    )
    op.create_table(
        "paths",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("latest_id", sa.String(length=31), nullable=True),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paths")),
        sa.UniqueConstraint("key", name=op.f("uq_paths_key")),
    )
    op.create_table(
        "places",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=True),
        sa.Column("iso", sa.String(length=12), nullable=True),
        sa.Column("pcode", sa.String(length=24), nullable=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("jurisdiction", sa.String(length=64), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("key", name=op.f("uq_places_key")),
    )
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_places_parent"), ["parent"], unique=False)

    op.create_table(
        "request_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("key_id", sa.String(length=31), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("route", sa.String(length=120), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_records")),
    )
    with op.batch_alter_table("request_records", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_records_at"), ["at"], unique=False)
        batch_op.create_index(
            "ix_request_records_organisation", ["organisation_id", "livemode", "at", "id"], unique=False
        )

    op.create_table(
        "runners",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_runners")),
    )
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("every", sa.String(length=32), nullable=False),
        sa.Column("last_run_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("password_is_first", sa.Boolean(), nullable=False),
        sa.Column("otp_secret", sa.Text(), nullable=True),
        sa.Column("otp_counter", sa.Integer(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("substitute_id", sa.String(length=31), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["substitute_id"], ["users.id"], name=op.f("fk_absences_substitute_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_absences_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    with op.batch_alter_table("absences", schema=None) as batch_op:
        batch_op.create_index("ix_absences_substitute", ["substitute_id", "ends_at"], unique=False)
        batch_op.create_index("ix_absences_user", ["user_id", "ends_at"], unique=False)

    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=True),
        sa.Column("public_key", sa.JSON(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("reminded_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_api_keys_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_api_keys_key_sha256")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=True),
        sa.Column("user_id", sa.String(length=31), nullable=True),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_deliveries_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_deliveries_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_user_id"), ["user_id"], unique=False)

    op.create_table(
        "desks",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("governorate", sa.String(length=64), nullable=True),
        sa.Column("jurisdiction", sa.String(length=64), nullable=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_desks_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desks")),
        sa.UniqueConstraint("code", name=op.f("uq_desks_code")),
    )
    with op.batch_alter_table("desks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desks_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_desks_role", ["role", "governorate"], unique=False)

    op.create_table(
        "manifest_columns",
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("column", sa.String(length=64), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_manifest_columns_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "fingerprint", name=op.f("pk_manifest_columns")),
    )
    op.create_table(
        "path_versions",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("path_id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("diagram", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("scenarios", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.String(length=40), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["path_id"], ["paths.id"], name=op.f("fk_path_versions_path_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_path_versions")),
        sa.UniqueConstraint("path_id", "number", name=op.f("uq_path_versions_path_id_number")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("sex", sa.String(length=64), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("birth_precision", sa.String(length=12), nullable=False),
        sa.Column("nationality", sa.String(length=2), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("governorate", sa.String(length=64), nullable=True),
        sa.Column("household_id", sa.String(length=31), nullable=True),
        sa.Column("household_role", sa.String(length=64), nullable=True),
        sa.Column("merged_into_id", sa.String(length=31), nullable=True),
        sa.Column("deceased_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_people_household_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["people.id"], name=op.f("fk_people_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_people_household_id"), ["household_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_people_merged_into_id"), ["merged_into_id"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("user_id", "code_sha256", name=op.f("uq_recovery_codes_user_id_code_sha256")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("idle_until", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("second_factor_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sessions_token_sha256")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sharing_agreements",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("document_id", sa.String(length=31), nullable=True),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_sharing_agreements_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_agreements")),
    )
    with op.batch_alter_table("sharing_agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sharing_agreements_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "user_choices",
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("work_days", sa.JSON(), nullable=True),
        sa.Column("work_from", sa.String(length=5), nullable=True),
        sa.Column("work_until", sa.String(length=5), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("digest_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_choices_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_choices")),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("types", sa.JSON(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("signing_secret", sa.Text(), nullable=False),
        sa.Column("old_signing_secret", sa.Text(), nullable=True),
        sa.Column("old_until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("fed_until", sa.BigInteger(), nullable=False),
        sa.Column("fed_since", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("rest_until", UtcDateTime(), nullable=True),
        sa.Column("pace_ms", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_webhook_endpoints_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_endpoints_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "access_tokens",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=31), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_access_tokens_key_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_access_tokens")),
    )
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_tokens_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_tokens_key_id"), ["key_id"], unique=False)

    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("handler_id", sa.String(length=31), nullable=True),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("governorate", sa.String(length=64), nullable=False),
        sa.Column("jurisdiction", sa.String(length=64), nullable=False),
        sa.Column("return_type", sa.String(length=64), nullable=True),
        sa.Column("host_country", sa.String(length=2), nullable=True),
        sa.Column("programme", sa.String(length=64), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("arrived_on", sa.Date(), nullable=True),
        sa.Column("external_refs", sa.Text(), nullable=True),
        sa.Column("vulnerabilities", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("closing_reason", sa.String(length=64), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("active_at", UtcDateTime(), nullable=False),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_cases_desk_id")),
        sa.ForeignKeyConstraint(["handler_id"], ["users.id"], name=op.f("fk_cases_handler_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_cases_organisation_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_cases_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cases_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index("ix_cases_governorate_status", ["governorate", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_handler_id"), ["handler_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_cases_organisation_status", ["organisation_id", "status", "active_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_person_id"), ["person_id"], unique=False)

    op.create_table(
        "identity_documents",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identity_documents_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_documents")),
    )
    with op.batch_alter_table("identity_documents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_documents_person_id"), ["person_id"], unique=False)

    op.create_table(
        "manifest_rows",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("manifest_id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=True),
        sa.Column("case_id", sa.String(length=31), nullable=True),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifests.id"], name=op.f("fk_manifest_rows_manifest_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_manifest_rows_person_id")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_manifest_rows")),
    )
    with op.batch_alter_table("manifest_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manifest_rows_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_manifest_rows_manifest_id"), ["manifest_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_manifest_rows_person_id"), ["person_id"], unique=False)

    op.create_table(
        "memberships",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_memberships_desk_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_memberships_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "user_id",
            "organisation_id",
            "desk_id",
            "role",
            name=op.f("uq_memberships_user_id_organisation_id_desk_id_role"),
        ),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_memberships_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_memberships_user_id"), ["user_id"], unique=False)

    op.create_table(
        "migration_plans",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("path_id", sa.String(length=31), nullable=False),
        sa.Column("source_id", sa.String(length=31), nullable=False),
        sa.Column("target_id", sa.String(length=31), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("looked_at", sa.String(length=31), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.Column("changers", sa.JSON(), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_for", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["path_id"], ["paths.id"], name=op.f("fk_migration_plans_path_id")),
        sa.ForeignKeyConstraint(["source_id"], ["path_versions.id"], name=op.f("fk_migration_plans_source_id")),
        sa.ForeignKeyConstraint(["target_id"], ["path_versions.id"], name=op.f("fk_migration_plans_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migration_plans")),
    )
    with op.batch_alter_table("migration_plans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_migration_plans_path_id"), ["path_id"], unique=False)

    op.create_table(
        "notifications",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=True),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_notifications_desk_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index("ix_notifications_desk", ["desk_id", "created_at"], unique=False)
        batch_op.create_index("ix_notifications_user", ["user_id", "created_at"], unique=False)

    op.create_table(
        "path_drafts",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("path_key", sa.String(length=64), nullable=False),
        sa.Column("base_version_id", sa.String(length=31), nullable=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("diagram", sa.Text(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("scenarios", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.Column("changers", sa.JSON(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("submitted_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("published_version_id", sa.String(length=31), nullable=True),
        sa.ForeignKeyConstraint(["base_version_id"], ["path_versions.id"], name=op.f("fk_path_drafts_base_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_path_drafts")),
    )
    with op.batch_alter_table("path_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_path_drafts_path", ["path_key", "status"], unique=False)
        batch_op.create_index("ix_path_drafts_status", ["status"], unique=False)

    op.create_table(
        "person_tokens",
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_tokens_person_id")),
        sa.PrimaryKeyConstraint("person_id", "kind", "token", name=op.f("pk_person_tokens")),
    )
    with op.batch_alter_table("person_tokens", schema=None) as batch_op:
        batch_op.create_index("ix_person_tokens_find", ["kind", "token"], unique=False)

    op.create_table(
        "role_requests",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_role_requests_desk_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_role_requests_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_role_requests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_requests")),
    )
    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_requests_user_id"), ["user_id"], unique=False)

    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_saved_views_desk_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_views_user_id"), ["user_id"], unique=False)

    op.create_table(
        "services",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("description", sa.JSON(), nullable=False),
        sa.Column("eligibility", sa.String(length=500), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("visibility", sa.String(length=12), nullable=False),
        sa.Column("accepting", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("open_slots", sa.Integer(), nullable=True),
        sa.Column("capacity_unit", sa.String(length=64), nullable=True),
        sa.Column("waiting_days", sa.Integer(), nullable=True),
        sa.Column("last_verified_on", sa.Date(), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("loaded_hash", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("open_slots >= 0", name=op.f("ck_services_ck_services_open_slots")),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_services_desk_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_services_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("code", name=op.f("uq_services_code")),
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_services_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_services_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "used_assertions",
        sa.Column("key_id", sa.String(length=31), nullable=False),
        sa.Column("jti_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_used_assertions_key_id")),
        sa.PrimaryKeyConstraint("key_id", "jti_sha256", name=op.f("pk_used_assertions")),
    )
    with op.batch_alter_table("used_assertions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_assertions_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("endpoint_id", sa.String(length=31), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(length=31), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.JSON(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_deliveries_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("endpoint_id", "position", name=op.f("uq_webhook_deliveries_endpoint_id_position")),
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_deliveries_due",
            ["endpoint_id", "next_at"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("ix_webhook_deliveries_log", ["endpoint_id", "created_at"], unique=False)

    op.create_table(
        "case_access",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("holder_kind", sa.String(length=12), nullable=False),
        sa.Column("holder_id", sa.String(length=31), nullable=False),
        sa.Column("access", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_access_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_access")),
        sa.UniqueConstraint(
            "case_id",
            "holder_kind",
            "holder_id",
            "reason",
            name=op.f("uq_case_access_case_id_holder_kind_holder_id_reason"),
        ),
    )
    with op.batch_alter_table("case_access", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_access_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_case_access_holder", ["holder_id", "case_id"], unique=False)

    op.create_table(
        "case_notes",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_notes_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    with op.batch_alter_table("case_notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_notes_case_id"), ["case_id"], unique=False)

    op.create_table(
        "consent_overrides",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("ground", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("refused_by", sa.String(length=40), nullable=True),
        sa.Column("refused_at", UtcDateTime(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_consent_overrides_case_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_consent_overrides_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_consent_overrides_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_overrides")),
    )
    with op.batch_alter_table("consent_overrides", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_overrides_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consent_overrides_person_id"), ["person_id"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.Column("assent_child", sa.Boolean(), nullable=True),
        sa.Column("mode", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("organisations_allowed", sa.JSON(), nullable=False),
        sa.Column("organisations_denied", sa.JSON(), nullable=False),
        sa.Column("explained_version", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=31), nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_scope", sa.JSON(), nullable=True),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_consents_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_consents_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consents_person_id"), ["person_id"], unique=False)

    op.create_table(
        "inbox_messages",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("correlation", sa.String(length=31), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("decision_values", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_to", sa.String(length=31), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_inbox_messages_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_messages")),
        sa.UniqueConstraint("correlation", "message_id", name=op.f("uq_inbox_messages_correlation_message_id")),
    )
    with op.batch_alter_table("inbox_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_messages_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_inbox_messages_waiting", ["correlation", "name", "status"], unique=False)

    op.create_table(
        "needs",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_needs_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_needs_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs")),
    )
    with op.batch_alter_table("needs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_needs_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_needs_person_id"), ["person_id"], unique=False)

    op.create_table(
        "outcomes",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.String(length=31), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_outcomes_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
    )
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcomes_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_outcomes_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "path_comments",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("draft_id", sa.String(length=31), nullable=False),
        sa.Column("element", sa.String(length=64), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["draft_id"], ["path_drafts.id"], name=op.f("fk_path_comments_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_path_comments")),
    )
    with op.batch_alter_table("path_comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_path_comments_draft_id"), ["draft_id"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("path_version_id", sa.String(length=31), nullable=False),
        sa.Column("parent_id", sa.String(length=31), nullable=True),
        sa.Column("parent_token", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decision_values", sa.JSON(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.String(length=40), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_runs_case_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["runs.id"], name=op.f("fk_runs_parent_id")),
        sa.ForeignKeyConstraint(["path_version_id"], ["path_versions.id"], name=op.f("fk_runs_path_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_case", ["case_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_runs_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_runs_path_version_id"), ["path_version_id"], unique=False)

    op.create_table(
        "service_coverage",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("service_id", sa.String(length=31), nullable=False),
        sa.Column("governorate", sa.String(length=64), nullable=False),
        sa.Column("district", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_coverage_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_coverage")),
    )
    with op.batch_alter_table("service_coverage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_coverage_governorate"), ["governorate"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_coverage_service_id"), ["service_id"], unique=False)

    op.create_table(
        "complaints",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("taken_up_at", UtcDateTime(), nullable=True),
        sa.Column("taken_up_by", sa.String(length=40), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", sa.String(length=31), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_complaints_desk_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_complaints_organisation_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_complaints_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_complaints_receipt_hash")),
    )
    with op.batch_alter_table("complaints", schema=None) as batch_op:
        batch_op.create_index("ix_complaints_desk", ["desk_id", "received_at", "id"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=True),
        sa.Column("run_id", sa.String(length=31), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.String(length=31), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("retry", sa.JSON(), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("ending", sa.String(length=64), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incidents_case_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_incidents_organisation_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_incidents_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incidents_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incidents_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incidents_status"), ["status"], unique=False)

    op.create_table(
        "migration_runs",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("plan_id", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("run_version", sa.Integer(), nullable=True),
        sa.Column("undoable", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_migration_runs_case_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["migration_plans.id"], name=op.f("fk_migration_runs_plan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_migration_runs_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migration_runs")),
        sa.UniqueConstraint("plan_id", "run_id", name=op.f("uq_migration_runs_plan_id_run_id")),
    )
    with op.batch_alter_table("migration_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_migration_runs_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_migration_runs_status", ["plan_id", "status", "id"], unique=False)

    op.create_table(
        "plans",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_plans_case_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_plans_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    with op.batch_alter_table("plans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plans_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plans_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_plans_status", ["status", "created_at"], unique=False)

    op.create_table(
        "run_steps",
        sa.Column("run_id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=64), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("waited", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_steps_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_steps")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("run_steps", schema=None) as batch_op:
        batch_op.create_index(
            "ix_run_steps_waits",
            ["at"],
            unique=False,
            postgresql_where=sa.text("waited IS NOT NULL"),
            sqlite_where=sa.text("waited IS NOT NULL"),
        )

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=False),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("correlation", sa.String(length=31), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_subscriptions_case_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_subscriptions_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("run_id", "token", "message", name=op.f("uq_subscriptions_run_id_token_message")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index("ix_subscriptions_find", ["correlation", "message"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=False),
        sa.Column("path_version_id", sa.String(length=31), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=True),
        sa.Column("service_category", sa.String(length=64), nullable=True),
        sa.Column("form_version_id", sa.String(length=31), nullable=True),
        sa.Column("desk_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("assignee_id", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("hold_until", UtcDateTime(), nullable=True),
        sa.Column("hold_reason", sa.String(length=64), nullable=True),
        sa.Column("hold_ended_at", UtcDateTime(), nullable=True),
        sa.Column("pause_left", sa.Integer(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("escalation", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_tasks_case_id")),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_tasks_desk_id")),
        sa.ForeignKeyConstraint(["form_version_id"], ["form_versions.id"], name=op.f("fk_tasks_form_version_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_tasks_organisation_id")),
        sa.ForeignKeyConstraint(["path_version_id"], ["path_versions.id"], name=op.f("fk_tasks_path_version_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_tasks_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("run_id", "token", name=op.f("uq_tasks_run_id_token")),
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tasks_assignee_inbox",
            ["assignee_id", "status", "due_at", "id"],
            unique=False,
            postgresql_where=sa.text("assignee_id IS NOT NULL AND ended_at IS NULL"),
            sqlite_where=sa.text("assignee_id IS NOT NULL AND ended_at IS NULL"),
        )
        batch_op.create_index("ix_tasks_case", ["case_id", "status"], unique=False)
        batch_op.create_index(
            "ix_tasks_desk_inbox",
            ["desk_id", "status", "due_at", "id"],
            unique=False,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_tasks_ended_by",
            ["ended_by", "ended_at"],
            unique=False,
            postgresql_where=sa.text("ended_by IS NOT NULL"),
            sqlite_where=sa.text("ended_by IS NOT NULL"),
        )
        batch_op.create_index("ix_tasks_path", ["path_version_id", "ended_at"], unique=False)

    op.create_table(
        "plan_services",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("plan_id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("need_id", sa.String(length=31), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column("preferred_organisation_id", sa.String(length=31), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_plan_services_case_id")),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_plan_services_need_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_services_plan_id")),
        sa.ForeignKeyConstraint(
            ["preferred_organisation_id"], ["organisations.id"], name=op.f("fk_plan_services_preferred_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_services")),
    )
    with op.batch_alter_table("plan_services", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_services_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_services_need_id"), ["need_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_services_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "task_answers",
        sa.Column("task_id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("form_version_id", sa.String(length=31), nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=40), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_task_answers_case_id")),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["form_versions.id"], name=op.f("fk_task_answers_form_version_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_task_answers_run_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_answers_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_answers")),
    )
    with op.batch_alter_table("task_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_answers_case_id"), ["case_id"], unique=False)

    op.create_table(
        "task_comments",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("task_id", sa.String(length=31), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_comments_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_comments")),
    )
    with op.batch_alter_table("task_comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_comments_task_id"), ["task_id"], unique=False)

    op.create_table(
        "task_drafts",
        sa.Column("task_id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=31), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_drafts_task_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_task_drafts_user_id")),
        sa.PrimaryKeyConstraint("task_id", "user_id", name=op.f("pk_task_drafts")),
    )
    op.create_table(
        "task_undo",
        sa.Column("task_id", sa.String(length=31), nullable=False),
        sa.Column("run_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decision_values", sa.JSON(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("opened", sa.JSON(), nullable=False),
        sa.Column("timers", sa.JSON(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_undo_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_undo")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.String(length=31), nullable=True),
        sa.Column("plan_service_id", sa.String(length=31), nullable=True),
        sa.Column("service_id", sa.String(length=31), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("from_organisation_id", sa.String(length=31), nullable=False),
        sa.Column("from_desk_id", sa.String(length=31), nullable=True),
        sa.Column("to_organisation_id", sa.String(length=31), nullable=True),
        sa.Column("to_desk_id", sa.String(length=31), nullable=True),
        sa.Column("to_user_id", sa.String(length=31), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expected_result", sa.Text(), nullable=True),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("consent_id", sa.String(length=31), nullable=True),
        sa.Column("override_id", sa.String(length=31), nullable=True),
        sa.Column("parent_id", sa.String(length=31), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("slot_taken", sa.Boolean(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("clock", sa.String(length=20), nullable=True),
        sa.Column("clock_started_at", UtcDateTime(), nullable=True),
        sa.Column("reply_due_at", UtcDateTime(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("pause_left", sa.Integer(), nullable=True),
        sa.Column("escalation", sa.Integer(), nullable=False),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("appointment_at", UtcDateTime(), nullable=True),
        sa.Column("appointment_place", sa.Text(), nullable=True),
        sa.Column("no_shows", sa.Integer(), nullable=False),
        sa.Column("waitlist_position", sa.Integer(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("expected_start", sa.Date(), nullable=True),
        sa.Column("expected_end", sa.Date(), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("resume_state", sa.String(length=20), nullable=True),
        sa.Column("cancellation_requested", sa.Boolean(), nullable=False),
        sa.Column("redirected_to", sa.String(length=31), nullable=True),
        sa.Column("end_reason", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Text(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed", sa.String(length=64), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("error_reason", sa.String(length=64), nullable=True),
        sa.Column("error_asked_by", sa.String(length=40), nullable=True),
        sa.Column("error_asked_at", UtcDateTime(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_referrals_case_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_referrals_consent_id")),
        sa.ForeignKeyConstraint(["from_desk_id"], ["desks.id"], name=op.f("fk_referrals_from_desk_id")),
        sa.ForeignKeyConstraint(
            ["from_organisation_id"], ["organisations.id"], name=op.f("fk_referrals_from_organisation_id")
        ),
        sa.ForeignKeyConstraint(["override_id"], ["consent_overrides.id"], name=op.f("fk_referrals_override_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["referrals.id"], name=op.f("fk_referrals_parent_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_referrals_person_id")),
        sa.ForeignKeyConstraint(["plan_service_id"], ["plan_services.id"], name=op.f("fk_referrals_plan_service_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_referrals_run_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_referrals_service_id")),
        sa.ForeignKeyConstraint(["to_desk_id"], ["desks.id"], name=op.f("fk_referrals_to_desk_id")),
        sa.ForeignKeyConstraint(
            ["to_organisation_id"], ["organisations.id"], name=op.f("fk_referrals_to_organisation_id")
        ),
        sa.ForeignKeyConstraint(["to_user_id"], ["users.id"], name=op.f("fk_referrals_to_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint(
            "from_organisation_id", "external_id", name=op.f("uq_referrals_from_organisation_id_external_id")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_referrals_number")),
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index("ix_referrals_answers", ["service_id", "decided_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_referrals_mistakes", ["error_asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_plan_service_id"), ["plan_service_id"], unique=False)
        batch_op.create_index("ix_referrals_received", ["to_organisation_id", "state", "updated_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_referrals_sent", ["from_organisation_id", "state", "updated_at"], unique=False)

    op.create_table(
        "answer_links",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("referral_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("session_sha256", sa.String(length=64), nullable=True),
        sa.Column("session_until", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_answer_links_organisation_id")
        ),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_answer_links_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_links")),
        sa.UniqueConstraint("session_sha256", name=op.f("uq_answer_links_session_sha256")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_answer_links_token_sha256")),
    )
    with op.batch_alter_table("answer_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answer_links_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "disclosures",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("referral_id", sa.String(length=31), nullable=True),
        sa.Column("consent_id", sa.String(length=31), nullable=True),
        sa.Column("override_id", sa.String(length=31), nullable=True),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("restricted_at", UtcDateTime(), nullable=True),
        sa.Column("restriction_confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_disclosures_case_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_disclosures_consent_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_disclosures_organisation_id")),
        sa.ForeignKeyConstraint(["override_id"], ["consent_overrides.id"], name=op.f("fk_disclosures_override_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_disclosures_person_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_disclosures_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    with op.batch_alter_table("disclosures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disclosures_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_disclosures_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_disclosures_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_disclosures_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=True),
        sa.Column("task_id", sa.String(length=31), nullable=True),
        sa.Column("referral_id", sa.String(length=31), nullable=True),
        sa.Column("organisation_id", sa.String(length=31), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_as", sa.String(length=80), nullable=False),
        sa.Column("added_by", sa.String(length=40), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("error_reason", sa.String(length=64), nullable=True),
        sa.Column("error_by", sa.String(length=40), nullable=True),
        sa.Column("error_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_documents_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_documents_person_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_documents_referral_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_documents_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_documents_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_documents_referral_id"), ["referral_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_documents_task_id"), ["task_id"], unique=False)

    op.create_table(
        "referral_notes",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("referral_id", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_referral_notes_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_notes")),
    )
    with op.batch_alter_table("referral_notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_notes_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "restrictions",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("person_id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("referral_id", sa.String(length=31), nullable=True),
        sa.Column("consent_id", sa.String(length=31), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=40), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_restrictions_case_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_restrictions_consent_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_restrictions_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_restrictions_person_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_restrictions_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restrictions")),
    )
    with op.batch_alter_table("restrictions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_restrictions_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_restrictions_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_restrictions_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_restrictions_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "letters",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("to_organisation_id", sa.String(length=31), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=False),
        sa.Column("referral_id", sa.String(length=31), nullable=True),
        sa.Column("run_id", sa.String(length=31), nullable=True),
        sa.Column("disclosure_id", sa.String(length=31), nullable=True),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("digits", sa.String(length=8), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.String(length=40), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=40), nullable=True),
        sa.Column("answer", sa.String(length=64), nullable=True),
        sa.Column("answer_number", sa.Text(), nullable=True),
        sa.Column("answer_date", sa.Date(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_letters_case_id")),
        sa.ForeignKeyConstraint(["disclosure_id"], ["disclosures.id"], name=op.f("fk_letters_disclosure_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_letters_organisation_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_letters_referral_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_letters_run_id")),
        sa.ForeignKeyConstraint(
            ["to_organisation_id"], ["organisations.id"], name=op.f("fk_letters_to_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint(
            "organisation_id",
            "year",
            "livemode",
            "number",
            name=op.f("uq_letters_organisation_id_year_livemode_number"),
        ),
    )
    with op.batch_alter_table("letters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letters_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letters_referral_id"), ["referral_id"], unique=False)
        batch_op.create_index("ix_letters_registered", ["registered_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letters_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letters_to_organisation_id"), ["to_organisation_id"], unique=False)

    op.create_table(
        "incoming_letters",
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("organisation_id", sa.String(length=31), nullable=False),
        sa.Column("desk_id", sa.String(length=31), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("from_organisation_id", sa.String(length=31), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("case_id", sa.String(length=31), nullable=True),
        sa.Column("referral_id", sa.String(length=31), nullable=True),
        sa.Column("answers_id", sa.String(length=31), nullable=True),
        sa.Column("registered_by", sa.String(length=40), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("linked_by", sa.String(length=40), nullable=True),
        sa.Column("linked_at", UtcDateTime(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["answers_id"], ["letters.id"], name=op.f("fk_incoming_letters_answers_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incoming_letters_case_id")),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"], name=op.f("fk_incoming_letters_desk_id")),
        sa.ForeignKeyConstraint(
            ["from_organisation_id"], ["organisations.id"], name=op.f("fk_incoming_letters_from_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_incoming_letters_organisation_id")
        ),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_incoming_letters_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_letters")),
        sa.UniqueConstraint(
            "organisation_id",
            "year",
            "livemode",
            "number",
            name=op.f("uq_incoming_letters_organisation_id_year_livemode_number"),
        ),
    )
    with op.batch_alter_table("incoming_letters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incoming_letters_answers_id"), ["answers_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incoming_letters_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incoming_letters_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incoming_letters_referral_id"), ["referral_id"], unique=False)
        batch_op.create_index("ix_incoming_letters_registered", ["registered_at", "id"], unique=False)

    install_triggers(op.get_bind())
    install_order(op.get_bind())


def downgrade() -> None:
    remove_order(op.get_bind())
    remove_triggers(op.get_bind())
    with op.batch_alter_table("incoming_letters", schema=None) as batch_op:
        batch_op.drop_index("ix_incoming_letters_registered")
        batch_op.drop_index(batch_op.f("ix_incoming_letters_referral_id"))
        batch_op.drop_index(batch_op.f("ix_incoming_letters_desk_id"))
        batch_op.drop_index(batch_op.f("ix_incoming_letters_case_id"))
        batch_op.drop_index(batch_op.f("ix_incoming_letters_answers_id"))

    op.drop_table("incoming_letters")
    with op.batch_alter_table("letters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_letters_to_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_letters_run_id"))
        batch_op.drop_index("ix_letters_registered")
        batch_op.drop_index(batch_op.f("ix_letters_referral_id"))
        batch_op.drop_index(batch_op.f("ix_letters_case_id"))

    op.drop_table("letters")
    with op.batch_alter_table("restrictions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_restrictions_referral_id"))
        batch_op.drop_index(batch_op.f("ix_restrictions_person_id"))
        batch_op.drop_index(batch_op.f("ix_restrictions_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_restrictions_case_id"))

    op.drop_table("restrictions")
    with op.batch_alter_table("referral_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_notes_referral_id"))

    op.drop_table("referral_notes")
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_task_id"))
        batch_op.drop_index(batch_op.f("ix_documents_referral_id"))
        batch_op.drop_index(batch_op.f("ix_documents_case_id"))

    op.drop_table("documents")
    with op.batch_alter_table("disclosures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_disclosures_referral_id"))
        batch_op.drop_index(batch_op.f("ix_disclosures_person_id"))
        batch_op.drop_index(batch_op.f("ix_disclosures_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_disclosures_case_id"))

    op.drop_table("disclosures")
    with op.batch_alter_table("answer_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_links_referral_id"))

    op.drop_table("answer_links")
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_index("ix_referrals_sent")
        batch_op.drop_index(batch_op.f("ix_referrals_run_id"))
        batch_op.drop_index("ix_referrals_received")
        batch_op.drop_index(batch_op.f("ix_referrals_plan_service_id"))
        batch_op.drop_index(batch_op.f("ix_referrals_person_id"))
        batch_op.drop_index(batch_op.f("ix_referrals_parent_id"))
        batch_op.drop_index("ix_referrals_mistakes")
        batch_op.drop_index(batch_op.f("ix_referrals_case_id"))
        batch_op.drop_index("ix_referrals_answers")

    op.drop_table("referrals")
    op.drop_table("task_undo")
    op.drop_table("task_drafts")
    with op.batch_alter_table("task_comments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_comments_task_id"))

    op.drop_table("task_comments")
    with op.batch_alter_table("task_answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_answers_case_id"))

    op.drop_table("task_answers")
    with op.batch_alter_table("plan_services", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_services_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_services_need_id"))
        batch_op.drop_index(batch_op.f("ix_plan_services_case_id"))

    op.drop_table("plan_services")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_index("ix_tasks_path")
        batch_op.drop_index(
            "ix_tasks_ended_by",
            postgresql_where=sa.text("ended_by IS NOT NULL"),
            sqlite_where=sa.text("ended_by IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_tasks_desk_inbox",
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("ix_tasks_case")
        batch_op.drop_index(
            "ix_tasks_assignee_inbox",
            postgresql_where=sa.text("assignee_id IS NOT NULL AND ended_at IS NULL"),
            sqlite_where=sa.text("assignee_id IS NOT NULL AND ended_at IS NULL"),
        )

    op.drop_table("tasks")
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_subscriptions_find")

    op.drop_table("subscriptions")
    with op.batch_alter_table("run_steps", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_run_steps_waits",
            postgresql_where=sa.text("waited IS NOT NULL"),
            sqlite_where=sa.text("waited IS NOT NULL"),
        )

    op.drop_table("run_steps")
    with op.batch_alter_table("plans", schema=None) as batch_op:
        batch_op.drop_index("ix_plans_status")
        batch_op.drop_index(batch_op.f("ix_plans_run_id"))
        batch_op.drop_index(batch_op.f("ix_plans_case_id"))

    op.drop_table("plans")
    with op.batch_alter_table("migration_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_migration_runs_status")
        batch_op.drop_index(batch_op.f("ix_migration_runs_run_id"))

    op.drop_table("migration_runs")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_status"))
        batch_op.drop_index(batch_op.f("ix_incidents_run_id"))
        batch_op.drop_index(batch_op.f("ix_incidents_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_incidents_case_id"))

    op.drop_table("incidents")
    with op.batch_alter_table("complaints", schema=None) as batch_op:
        batch_op.drop_index("ix_complaints_desk")

    op.drop_table("complaints")
    with op.batch_alter_table("service_coverage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_coverage_service_id"))
        batch_op.drop_index(batch_op.f("ix_service_coverage_governorate"))

    op.drop_table("service_coverage")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_path_version_id"))
        batch_op.drop_index(batch_op.f("ix_runs_parent_id"))
        batch_op.drop_index("ix_runs_case")

    op.drop_table("runs")
    with op.batch_alter_table("path_comments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_path_comments_draft_id"))

    op.drop_table("path_comments")
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.drop_index("ix_outcomes_subject")
        batch_op.drop_index(batch_op.f("ix_outcomes_case_id"))

    op.drop_table("outcomes")
    with op.batch_alter_table("needs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_needs_person_id"))
        batch_op.drop_index(batch_op.f("ix_needs_case_id"))

    op.drop_table("needs")
    with op.batch_alter_table("inbox_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_messages_waiting")
        batch_op.drop_index(batch_op.f("ix_inbox_messages_case_id"))

    op.drop_table("inbox_messages")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_person_id"))
        batch_op.drop_index(batch_op.f("ix_consents_case_id"))

    op.drop_table("consents")
    with op.batch_alter_table("consent_overrides", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_overrides_person_id"))
        batch_op.drop_index(batch_op.f("ix_consent_overrides_case_id"))

    op.drop_table("consent_overrides")
    with op.batch_alter_table("case_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_notes_case_id"))

    op.drop_table("case_notes")
    with op.batch_alter_table("case_access", schema=None) as batch_op:
        batch_op.drop_index("ix_case_access_holder")
        batch_op.drop_index(batch_op.f("ix_case_access_case_id"))

    op.drop_table("case_access")
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_deliveries_log")
        batch_op.drop_index(
            "ix_webhook_deliveries_due",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("used_assertions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_assertions_expires_at"))

    op.drop_table("used_assertions")
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_services_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_services_category"))

    op.drop_table("services")
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_views_user_id"))
        batch_op.drop_index(batch_op.f("ix_saved_views_desk_id"))

    op.drop_table("saved_views")
    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_requests_user_id"))

    op.drop_table("role_requests")
    with op.batch_alter_table("person_tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_person_tokens_find")

    op.drop_table("person_tokens")
    with op.batch_alter_table("path_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_path_drafts_status")
        batch_op.drop_index("ix_path_drafts_path")

    op.drop_table("path_drafts")
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_index("ix_notifications_user")
        batch_op.drop_index("ix_notifications_desk")

    op.drop_table("notifications")
    with op.batch_alter_table("migration_plans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_migration_plans_path_id"))

    op.drop_table("migration_plans")
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memberships_user_id"))
        batch_op.drop_index(batch_op.f("ix_memberships_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_memberships_desk_id"))

    op.drop_table("memberships")
    with op.batch_alter_table("manifest_rows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifest_rows_person_id"))
        batch_op.drop_index(batch_op.f("ix_manifest_rows_manifest_id"))
        batch_op.drop_index(batch_op.f("ix_manifest_rows_case_id"))

    op.drop_table("manifest_rows")
    with op.batch_alter_table("identity_documents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_documents_person_id"))

    op.drop_table("identity_documents")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cases_person_id"))
        batch_op.drop_index("ix_cases_organisation_status")
        batch_op.drop_index(batch_op.f("ix_cases_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_cases_handler_id"))
        batch_op.drop_index("ix_cases_governorate_status")
        batch_op.drop_index(batch_op.f("ix_cases_desk_id"))

    op.drop_table("cases")
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_tokens_key_id"))
        batch_op.drop_index(batch_op.f("ix_access_tokens_expires_at"))

    op.drop_table("access_tokens")
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_endpoints_organisation_id"))

    op.drop_table("webhook_endpoints")
    op.drop_table("user_choices")
    with op.batch_alter_table("sharing_agreements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sharing_agreements_organisation_id"))

    op.drop_table("sharing_agreements")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))

    op.drop_table("sessions")
    op.drop_table("recovery_codes")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_merged_into_id"))
        batch_op.drop_index(batch_op.f("ix_people_household_id"))

    op.drop_table("people")
    op.drop_table("path_versions")
    op.drop_table("manifest_columns")
    with op.batch_alter_table("desks", schema=None) as batch_op:
        batch_op.drop_index("ix_desks_role")
        batch_op.drop_index(batch_op.f("ix_desks_organisation_id"))

    op.drop_table("desks")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_user_id"))
        batch_op.drop_index(batch_op.f("ix_deliveries_organisation_id"))

    op.drop_table("deliveries")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_organisation_id"))

    op.drop_table("api_keys")
    with op.batch_alter_table("absences", schema=None) as batch_op:
        batch_op.drop_index("ix_absences_user")
        batch_op.drop_index("ix_absences_substitute")

    op.drop_table("absences")
    op.drop_table("users")
    op.drop_table("sign_in_failures")
    op.drop_table("schedules")
    op.drop_table("runners")
    with op.batch_alter_table("request_records", schema=None) as batch_op:
        batch_op.drop_index("ix_request_records_organisation")
        batch_op.drop_index(batch_op.f("ix_request_records_at"))

    op.drop_table("request_records")
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_places_parent"))

    op.drop_table("places")
    op.drop_table("paths")
    op.drop_table("pack_items")
    op.drop_table("organisations")
    op.drop_table("manifests")
    op.drop_table("letter_counters")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_dedup_key",
            postgresql_where=sa.text("dedup_key IS NOT NULL AND state <> 'dead'"),
            sqlite_where=sa.text("dedup_key IS NOT NULL AND state <> 'dead'"),
        )
        batch_op.drop_index(
            "ix_jobs_timers", postgresql_where=sa.text("kind = 'timer'"), sqlite_where=sa.text("kind = 'timer'")
        )
        batch_op.drop_index(
            "ix_jobs_lease", postgresql_where=sa.text("state = 'running'"), sqlite_where=sa.text("state = 'running'")
        )
        batch_op.drop_index(
            "ix_jobs_due", postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'")
        )
        batch_op.drop_index(
            "ix_jobs_dead", postgresql_where=sa.text("state = 'dead'"), sqlite_where=sa.text("state = 'dead'")
        )

    op.drop_table("jobs")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_created_at"))

    op.drop_table("idempotency_keys")
    op.drop_table("households")
    op.drop_table("form_versions")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_subject")
        batch_op.drop_index(
            "ix_events_sender",
            postgresql_where=sa.text("sender_id IS NOT NULL"),
            sqlite_where=sa.text("sender_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_events_organisation",
            postgresql_where=sa.text("organisation_id IS NOT NULL"),
            sqlite_where=sa.text("organisation_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_events_at")

    op.drop_table("events")
    op.drop_table("event_heads")
    op.drop_table("code_entries")
