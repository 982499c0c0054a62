"""What comes in about the sandbox."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Id, Whole
from nrm.actions.sandbox import LONGEST_HOURS
from nrm.vocabulary import Priority


class InventReferral(Body):
    """An invented referral that is to come in."""

    service_id = Id()
    urgency = Choice(Priority, load_default=str(Priority.NORMAL))


class MoveTime(Body):
    """How far the sandbox's time goes on."""

    hours = Whole(low=1, high=LONGEST_HOURS, required=True)
