"""Webhooks as the service signs them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from nrm.delivery.webhooks import headers_of

SECRET = "whsec_" + base64.b64encode(b"invented secret of 32 bytes only").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret that is 32 bytes.").decode()
BODY = b'{"type":"referral.accepted","subject":"ref_x","data":{"referral":"ref_x"}}'


def signed(at: int, *, secret: str = SECRET) -> dict[str, str]:
    """Give the headers of a webhook, signed at a moment in seconds."""
    return dict(headers_of("evt_1", BODY, signing=[secret], at=datetime.fromtimestamp(at, UTC)))


def signed_twice(at: int) -> dict[str, str]:
    """Give the headers while the secret changes: signed with both, beside a signature of a kind not known here."""
    headers = dict(headers_of("evt_1", BODY, signing=[OTHER, SECRET], at=datetime.fromtimestamp(at, UTC)))
    first, second = headers["webhook-signature"].split()
    return {**headers, "webhook-signature": f"{first} v1a,xyz {second}"}
