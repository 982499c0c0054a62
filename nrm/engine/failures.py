"""What can go wrong while a run advances."""

from __future__ import annotations

from nrm.errors import NrmError


class StepFailed(NrmError):
    """An advance could not be made; the run's old state still stands.

    The codes are `step_not_open` (the token is not, or no longer, waiting for this), `run_ended`, `no_way_out`
    (a gateway without a true flow), `endless_loop`, `too_many_tokens`, `join_never_complete`, `bad_value`,
    `unknown_value`, `not_a_list`, `no_path_for_value`, `no_date`, `no_single_rule`, `expression_limit`,
    `state_unreadable`, `state_version` and `state_other_path`.
    """

    code = "step_failed"

    def __init__(self, code: str, element: str, /, **params: str | int | None) -> None:
        """Keep where it happened.

        Args:
            code: stable code, one of those listed at the class.
            element: id of the step in the diagram, "" for the whole run.
            params: values for the message; never a decision value, for it may be sensitive.
        """
        super().__init__(code, **{**params, "element": element})
        self.element = element
