"""Text messages by the operator's gateway: one small JSON body by HTTPS, through the one door to the outside.

The gateway gets `{"id", "to", "text"}`, the token in `Authorization: Bearer …`, and the id once more as
`Idempotency-Key`, so that a message that is sent again after a lost answer is told apart from a second one. Any
status from 200 to 299 means that it has taken the message.
"""

from __future__ import annotations

from contextlib import closing

import orjson

from nrm.config import Config
from nrm.delivery.outbound import Outbound, rules_of
from nrm.errors import DeliveryFailed


def send_text(text: str, *, phone: str, delivery_id: str, config: Config) -> None:
    """Hand a text message to the gateway.

    Args:
        text: what is said.
        phone: to whom, in E.164.
        delivery_id: id of the delivery.
        config: the installation's settings.

    Raises:
        DeliveryFailed: "no_gateway", "gateway_refused", or as `nrm.delivery.outbound.Outbound.post` says.
    """
    if not config.sms_url:
        raise DeliveryFailed("no_gateway")
    headers = {"Content-Type": "application/json", "Idempotency-Key": delivery_id}
    if config.sms_token:
        headers["Authorization"] = f"Bearer {config.sms_token}"
    body = orjson.dumps({"id": delivery_id, "to": phone, "text": text})
    with closing(Outbound(rules_of(config))) as door:
        answer = door.post(config.sms_url, body, headers)
    if not 200 <= answer.status < 300:
        raise DeliveryFailed("gateway_refused")
