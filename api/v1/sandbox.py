"""The sandbox: with a test key a partner makes invented referrals and cases, and lets time pass for them."""

from __future__ import annotations

from api.schemas.sandbox import InventReferral, MoveTime
from api.transport.endpoint import ANY_KEY, Ask, Noun
from nrm.actions import sandbox as actions
from nrm.actions.sandbox import Moved, SandboxCase
from nrm.queries.referral_shapes import ReferralView

sandbox = Noun("sandbox")


@sandbox.post("/sandbox/referrals", body=InventReferral, answer=ReferralView, status=201, scope=ANY_KEY)
def receive(ask: Ask) -> ReferralView:
    """Let an invented referral come in, to a test service of one's own; for test keys only."""
    return actions.receive_invented(ask.actor, **ask.body)


@sandbox.post("/sandbox/cases", answer=SandboxCase, status=201, scope=ANY_KEY)
def open_case(ask: Ask) -> SandboxCase:
    """Open an invented case of one's own, from which to send referrals; for test keys only.

    Four services of the sandbox answer by themselves: sandbox_accepts, sandbox_serves, sandbox_declines and
    sandbox_never_answers. With a test key the list of services shows them.
    """
    return actions.open_invented_case(ask.actor)


@sandbox.post("/sandbox/clock", body=MoveTime, answer=Moved, scope=ANY_KEY)
def move_clock(ask: Ask) -> Moved:
    """Let time pass for one's own invented referrals: reminders come, answers are late, referrals expire."""
    return actions.move_sandbox_clock(ask.actor, **ask.body)
