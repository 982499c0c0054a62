"""The tables: one module per noun, each column with its class."""

from nrm.models.absences import Absence, SavedView, UserChoice
from nrm.models.cases import Case, CaseAccess, CaseNote, Need, Plan, PlanService
from nrm.models.complaints import Complaint
from nrm.models.consents import Consent, ConsentOverride, Disclosure, Restriction
from nrm.models.documents import Document
from nrm.models.drafts import PathComment, PathDraft
from nrm.models.events import Event, EventHead
from nrm.models.jobs import Delivery, IdempotencyKey, Job, Runner, Schedule
from nrm.models.keys import AccessToken, ApiKey, RequestRecord, UsedAssertion
from nrm.models.letters import IncomingLetter, Letter, LetterCounter
from nrm.models.migrations import MigrationPlan, MigrationRun
from nrm.models.organisations import (
    CodeEntry,
    Desk,
    Organisation,
    PackItem,
    Place,
    Service,
    ServiceCoverage,
    SharingAgreement,
)
from nrm.models.paths import FormVersion, Path, PathVersion
from nrm.models.people import Household, IdentityDocument, Manifest, ManifestColumn, ManifestRow, Person, PersonToken
from nrm.models.referrals import AnswerLink, Referral, ReferralNote
from nrm.models.runs import InboxMessage, Incident, Run, RunStep, Subscription
from nrm.models.tasks import Outcome, Task, TaskAnswers, TaskComment, TaskDraft, TaskUndo
from nrm.models.users import Membership, Notification, RecoveryCode, RoleRequest, Session, SignInFailure, User
from nrm.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Absence",
    "AccessToken",
    "AnswerLink",
    "ApiKey",
    "Case",
    "CaseAccess",
    "CaseNote",
    "CodeEntry",
    "Complaint",
    "Consent",
    "ConsentOverride",
    "Delivery",
    "Desk",
    "Disclosure",
    "Document",
    "Event",
    "EventHead",
    "FormVersion",
    "Household",
    "IdempotencyKey",
    "IdentityDocument",
    "InboxMessage",
    "Incident",
    "IncomingLetter",
    "Job",
    "Letter",
    "LetterCounter",
    "Manifest",
    "ManifestColumn",
    "ManifestRow",
    "Membership",
    "MigrationPlan",
    "MigrationRun",
    "Need",
    "Notification",
    "Organisation",
    "Outcome",
    "PackItem",
    "Path",
    "PathComment",
    "PathDraft",
    "PathVersion",
    "Person",
    "PersonToken",
    "Place",
    "Plan",
    "PlanService",
    "RecoveryCode",
    "Referral",
    "ReferralNote",
    "RequestRecord",
    "Restriction",
    "RoleRequest",
    "Run",
    "RunStep",
    "Runner",
    "SavedView",
    "Schedule",
    "Service",
    "ServiceCoverage",
    "Session",
    "SharingAgreement",
    "SignInFailure",
    "Subscription",
    "Task",
    "TaskAnswers",
    "TaskComment",
    "TaskDraft",
    "TaskUndo",
    "UsedAssertion",
    "User",
    "UserChoice",
    "WebhookDelivery",
    "WebhookEndpoint",
]
