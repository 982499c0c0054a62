"""What is said about a file that is sent."""

from __future__ import annotations

from api.transport.fields import Body, Code, Text
from nrm.rules.documents import LONGEST_NAME


class DocumentQuery(Body):
    """What the file is; the file itself is the whole body."""

    name = Text(longest=2 * LONGEST_NAME, shortest=1, required=True)
    kind = Code(load_default="other")


class EnterInError(Body):
    """Why a document was a mistake."""

    reason = Code(required=True)
