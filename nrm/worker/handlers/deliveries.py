"""Deliveries: read what to send, send it without any transaction open, record that it left.

The second commit ends the job. A runner that is killed between sending and that commit sends again: an e-mail keeps
its Message-ID and a letter its file name, so the receiver sees one.
"""

from __future__ import annotations

from nrm.actions import deliveries
from nrm.actions.deliveries import Outgoing
from nrm.actors import SYSTEM
from nrm.delivery.channels import send
from nrm.delivery.text_messages import send_text
from nrm.delivery.texts import Notice
from nrm.errors import DeliveryFailed
from nrm.installation import installation
from nrm.jobs.hand import ClaimedJob, keep_job


def deliver(job: ClaimedJob) -> None:
    """Send one notice.

    Raises:
        DeliveryFailed: when it did not leave; the job tries again.
    """
    delivery_id = str(job.args["delivery"])
    with keep_job():
        outgoing = deliveries.begin_delivery(SYSTEM, delivery_id)
    if outgoing is None:
        return
    try:
        _send(outgoing)
    except DeliveryFailed as failure:
        with keep_job():
            deliveries.note_failure(SYSTEM, delivery_id, code=failure.code)
        raise
    deliveries.note_sent(SYSTEM, delivery_id)


def _send(outgoing: Outgoing) -> None:
    config = installation().config
    if outgoing.channel == deliveries.TEXT:
        send_text(outgoing.text, phone=outgoing.address, delivery_id=outgoing.id, config=config)
        return
    notice = Notice(
        id=outgoing.id,
        template=outgoing.template,
        subject_kind=outgoing.subject_kind,
        subject_id=outgoing.subject_id,
        language=outgoing.language,
        link=outgoing.link,
        counts=outgoing.counts,
    )
    send(
        notice,
        channel=outgoing.channel,
        address=outgoing.address,
        addressee=outgoing.addressee,
        config=config,
        now=installation().clock.now(),
    )
