"""The coded words that code itself must know; everything a country may change is pack data instead."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """Languages of every text that a user sees."""

    ARABIC = "ar"
    SORANI = "ckb"
    ENGLISH = "en"


class Sensitivity(StrEnum):
    """Class of a column: who it could hurt if it leaked."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    SECRET = "secret"  # noqa: S105 - a class of data, not a password


class Level(StrEnum):
    """Who may know of a case at all."""

    STANDARD = "standard"
    RESTRICTED = "restricted"
    STRICT = "strict"


class CaseStatus(StrEnum):
    """Whether a case is being worked on."""

    OPEN = "open"
    CLOSED = "closed"


class TaskStatus(StrEnum):
    """How a task stands; whether it is claimed is its assignee, not its status."""

    OPEN = "open"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """How pressing a case, task or referral is; the three words of the inter-agency referral form."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


class ReferralState(StrEnum):
    """The referral's states, the same in code, tables and on the wire."""

    DRAFT = "draft"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    INFO_REQUESTED = "info_requested"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    NOT_COMPLETED = "not_completed"
    DECLINED = "declined"
    REDIRECTED = "redirected"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENTERED_IN_ERROR = "entered_in_error"


class Access(StrEnum):
    """What a holder of case access may do: work on it, read it, or only know that it exists and how it stands."""

    WORK = "work"
    READ = "read"
    OVERVIEW = "overview"


class Holder(StrEnum):
    """Who may hold case access."""

    DESK = "desk"
    ORGANISATION = "organisation"
    USER = "user"


class Channel(StrEnum):
    """How an organisation is reached."""

    API = "api"
    PORTAL = "portal"
    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"


class Visibility(StrEnum):
    """Who may see a service in the directory."""

    PUBLIC = "public"
    PARTNERS = "partners"
    RESTRICTED = "restricted"
    HIDDEN = "hidden"


class PathStatus(StrEnum):
    """How a path version stands; a published one never changes."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class IncidentStatus(StrEnum):
    """Whether an incident still waits for somebody."""

    OPEN = "open"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    """How a job stands; a done job has no row."""

    WAITING = "waiting"
    RUNNING = "running"
    DEAD = "dead"
