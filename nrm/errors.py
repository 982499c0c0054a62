"""Everything that may go wrong, with a stable code; the only map to HTTP is in the API.

```
NrmError
├── NotFound            no such thing, or not yours to know of
├── NotAllowed          you may see it but not do this
├── NotSignedIn         no valid session or key
├── NotValid            the input is wrong; `problems` says where and how to mend it
├── Conflict            the input is right but the state is not
│   ├── StaleVersion    somebody changed it since you read it
│   ├── IllegalMove     this verb does not fit the state; `allowed_actions` lists those that do
│   └── AlreadyDone     the same thing was done before
├── BadPath             a diagram cannot be used; `findings` says why
├── TooMany             a limit was reached; wait `retry_after` seconds
├── Busy                the database is busy; try again
└── DeliveryFailed      a message did not leave the building
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Params = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the value, "" for the whole.
        code: stable code, the key of the message catalogue ("required", "not_a_date").
        params: values for the message; never a personal value.
    """

    pointer: str
    code: str
    params: Params = field(default_factory=dict)


class NrmError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, code: str | None = None, /, **params: str | int | None) -> None:
        """Keep the stable code and the values of its message.

        Args:
            code: a more exact code than the class has ("referral_already_answered").
            params: values for the message; never a personal value.
        """
        self.code = code or type(self).code
        self.params: Params = params
        super().__init__(self.code)


class NotFound(NrmError):
    """There is no such thing, or it is not yours to know of."""

    code = "not_found"


class NotAllowed(NrmError):
    """You may see this, but you may not do it."""

    code = "not_allowed"


class NotSignedIn(NrmError):
    """Sign in first."""

    code = "not_signed_in"


class NotValid(NrmError):
    """The input has mistakes."""

    code = "validation"

    def __init__(self, problems: Sequence[Problem], code: str | None = None, /, **params: str | int | None) -> None:
        """Keep the list of mistakes.

        Args:
            problems: at least one.
            code: a more exact code than "validation".
            params: values for the message.
        """
        super().__init__(code, **params)
        self.problems = tuple(problems)


class Conflict(NrmError):
    """This does not fit the present state."""

    code = "conflict"


class StaleVersion(Conflict):
    """Somebody changed this since you read it."""

    code = "stale_version"

    def __init__(self, current: int) -> None:
        """Keep the version that is stored now.

        Args:
            current: the stored version, ≥ 1.
        """
        super().__init__(current=current)
        self.current = current


class IllegalMove(Conflict):
    """This action does not fit the state."""

    code = "invalid_transition"

    def __init__(self, allowed_actions: Sequence[str], code: str | None = None, /, **params: str | int | None) -> None:
        """Keep the verbs that do fit.

        Args:
            allowed_actions: verbs that this actor may use now.
            code: a more exact code.
            params: values for the message.
        """
        super().__init__(code, **params)
        self.allowed_actions = tuple(allowed_actions)


class AlreadyDone(Conflict):
    """This was done before."""

    code = "already_done"


class BadPath(NrmError):
    """The diagram cannot be used."""

    code = "bad_path"

    def __init__(self, findings: Sequence[object]) -> None:
        """Keep the findings.

        Args:
            findings: `nrm.engine.findings.Finding` values, at least one of them an error.
        """
        super().__init__()
        self.findings = tuple(findings)


class TooMany(NrmError):
    """Too many requests."""

    code = "too_many"

    def __init__(self, retry_after: int) -> None:
        """Keep the waiting time.

        Args:
            retry_after: seconds, ≥ 1.
        """
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class Busy(NrmError):
    """The database is busy; try again."""

    code = "busy"


class DeliveryFailed(NrmError):
    """A message did not leave the building."""

    code = "delivery_failed"
