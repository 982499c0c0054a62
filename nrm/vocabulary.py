"""The coded words that code itself must know; everything a country may change is pack data instead."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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


APART: Final = "apart"
"""Mark in a run's context: only the desks that work on its tasks come to know of them."""


TEAM_DESK: Final = "team_desk"
"""Mark in a run's context: the desk whose people work on the case where it is strictly confidential."""

SERVICE_CATEGORY: Final = "service_category"
"""Mark in a run's context: the kind of service that it was started for, where no plan names it."""


class CaseStatus(StrEnum):
    """Whether a case is being worked on."""

    OPEN = "open"
    CLOSED = "closed"


class NeedStatus(StrEnum):
    """How a need stands."""

    OPEN = "open"
    MET = "met"
    UNMET = "unmet"


class MigrationStatus(StrEnum):
    """How a plan that moves running runs to another path version stands."""

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    DISCARDED = "discarded"


class MovedStatus(StrEnum):
    """What became of one run of such a plan.

    READY waits to be moved, REFUSED cannot be, GONE had ended or left the version by then, KEPT went on after the move
    and was not taken back.
    """

    READY = "ready"
    REFUSED = "refused"
    MOVED = "moved"
    GONE = "gone"
    UNDONE = "undone"
    KEPT = "kept"


class PlanStatus(StrEnum):
    """How a revision of a reintegration plan stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REPLACED = "replaced"


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


class DraftStatus(StrEnum):
    """How a draft of a path stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    DISCARDED = "discarded"


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


class ReferralOutcome(StrEnum):
    """What came of a referral; "accepted" and "served" are different facts."""

    PROVIDED = "provided"
    PARTLY = "partly"
    NOT_PROVIDED = "not_provided"


class LoopAnswer(StrEnum):
    """How the sender answered a referral that had ended: the loop is closed only by one of these."""

    CONFIRMED = "confirmed"
    REREFERRED = "rereferred"
    UNMET_NEED = "unmet_need"
    NO_LONGER_NEEDED = "no_longer_needed"


class DeclineReason(StrEnum):
    """Why a receiving organisation does not take a referral."""

    NO_CAPACITY = "no_capacity"
    NO_FUNDING = "no_funding"
    NOT_ELIGIBLE = "not_eligible"
    OUT_OF_AREA = "out_of_area"
    OUT_OF_SCOPE = "out_of_scope"
    DUPLICATE = "duplicate"
    INCOMPLETE_INFO = "incomplete_info"
    SAFETY_RISK = "safety_risk"
    SERVICE_SUSPENDED = "service_suspended"
    OTHER = "other"


class NotServedReason(StrEnum):
    """Why an accepted referral was not served."""

    RETURNEE_REFUSED = "returnee_refused"
    LACK_OF_CAPACITY = "lack_of_capacity"
    NO_LONGER_NEEDED = "no_longer_needed"
    UNREACHABLE = "unreachable"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    MOVED = "moved"
    RE_MIGRATED = "re_migrated"
    SAFETY = "safety"
    DECEASED = "deceased"
    OTHER = "other"


class CancelReason(StrEnum):
    """Why the sender takes a referral back."""

    NO_LONGER_NEEDED = "no_longer_needed"
    DUPLICATE = "duplicate"
    SENT_BY_MISTAKE = "sent_by_mistake"
    WRONG_PROVIDER = "wrong_provider"
    OTHER_PROVIDER = "other_provider"
    MOVED = "moved"
    RE_MIGRATED = "re_migrated"
    SAFETY = "safety"
    DECEASED = "deceased"
    OTHER = "other"


class LetterAnswer(StrEnum):
    """What an office's letter says in answer to one of ours."""

    RECEIVED = "received"
    AGREED = "agreed"
    REFUSED = "refused"


class ComplaintState(StrEnum):
    """How far a complaint is that came in by the public door."""

    RECEIVED = "received"
    IN_HAND = "in_hand"
    ANSWERED = "answered"


class WithdrawReason(StrEnum):
    """Why a referral may no longer be carried on for the returnee."""

    RETURNEE_REQUEST = "returnee_request"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    DECEASED = "deceased"
    CASE_CLOSED = "case_closed"


class HoldReason(StrEnum):
    """Why work rests for a while."""

    RETURNEE_UNAVAILABLE = "returnee_unavailable"
    WAITING_FOR_DOCUMENTS = "waiting_for_documents"
    WAITING_FOR_OTHERS = "waiting_for_others"
    WAITING_FOR_FUNDS = "waiting_for_funds"
    SERVICE_PAUSED = "service_paused"
    HEALTH = "health"
    SAFETY = "safety"
    OTHER = "other"


class TransferReason(StrEnum):
    """Why another office takes a case."""

    MOVED = "moved"
    OTHER_JURISDICTION = "other_jurisdiction"
    WORKLOAD = "workload"
    SAFETY = "safety"
    OTHER = "other"


class ReopenReason(StrEnum):
    """Why a closed case is opened again."""

    NEW_NEED = "new_need"
    CLOSED_BY_MISTAKE = "closed_by_mistake"
    OTHER = "other"


class ErrorReason(StrEnum):
    """Why a referral should never have existed."""

    WRONG_PERSON = "wrong_person"
    TEST_ENTRY = "test_entry"
    DUPLICATE_ENTRY = "duplicate_entry"
    OTHER = "other"


class Party(StrEnum):
    """In what part an actor stands to a referral."""

    SENDER = "sender"
    RECEIVER = "receiver"
    SYSTEM = "system"
    NATIONAL_UNIT = "national_unit"


class DataCategory(StrEnum):
    """Kinds of personal data that a consent and a referral name."""

    CONTACT = "contact"
    BIRTH = "birth"
    AGE = "age"
    DOCUMENTS = "documents"
    HOUSEHOLD = "household"
    WORK = "work"
    RETURN = "return"
    HEALTH = "health"
    ADJUSTMENTS = "adjustments"
    PROTECTION = "protection"


class Purpose(StrEnum):
    """What a person agrees that the data may be used for."""

    CASEWORK = "casework"
    SHARE_PROVIDER = "share_provider"
    SHARE_MINISTRY = "share_ministry"
    SHARE_DONOR_NAMED = "share_donor_named"
    MONITORING_CONTACT = "monitoring_contact"
    ANONYMOUS_STATISTICS = "anonymous_statistics"
    IDENTITY_VERIFICATION = "identity_verification"
    RESEARCH = "research"


class ReadPurpose(StrEnum):
    """What a partner's program reads a referral's personal data for."""

    ELIGIBILITY = "eligibility"
    CONTACT = "contact"
    SERVICE = "service"
    EMERGENCY = "emergency"
    COMPLAINT = "complaint"


class Ground(StrEnum):
    """Legal grounds for a disclosure without consent (domain reference §4.2)."""

    LIFE_THREAT = "life_threat"
    CHILD_BEST_INTEREST = "child_best_interest"
    LEGAL_DUTY = "legal_duty"


class BirthPrecision(StrEnum):
    """How much of a birth date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


class Sex(StrEnum):
    """Sex as recorded."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class ReturnType(StrEnum):
    """How a person came back."""

    AVRR = "avrr"
    VOLUNTARY_UNASSISTED = "voluntary_unassisted"
    FORCED = "forced"
    FORCED_CHARTER = "forced_charter"
    READMISSION = "readmission"
    EVACUATION = "evacuation"
    IDP_RETURN = "idp_return"


class KeyKind(StrEnum):
    """How a partner's program gets in."""

    KEY = "key"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - a kind, not a secret
    CLIENT_KEY = "client_key"
