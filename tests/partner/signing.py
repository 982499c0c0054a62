"""Sign a webhook as Standard Webhooks 1.0.0 says: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac

SECRET = "whsec_" + base64.b64encode(b"invented secret of 32 bytes only").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret that is 32 bytes.").decode()
BODY = b'{"type":"referral.accepted","subject":"ref_x","data":{"referral":"ref_x"}}'


def signed(at: int, *, secret: str = SECRET, body: bytes = BODY, message: str = "evt_1") -> dict[str, str]:
    """Give the headers of a webhook."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def signed_twice(at: int) -> dict[str, str]:
    """Give the headers while the secret changes: signed with both, beside a signature of a kind not known here."""
    headers, other = signed(at), signed(at, secret=OTHER)
    return {**headers, "webhook-signature": f"{other['webhook-signature']} v1a,xyz {headers['webhook-signature']}"}
