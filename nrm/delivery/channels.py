"""The ways out: e-mail by SMTP, or into a folder where no server is set; letters as records to be printed."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from nrm.config import Config
from nrm.delivery.texts import Notice, write
from nrm.errors import DeliveryFailed

TIMEOUT: Final = 20.0
"""Seconds that a mail server may take to answer; well below the lease of a job."""


def send(notice: Notice, *, channel: str, address: str, addressee: str, config: Config, now: datetime) -> None:
    """Let a notice leave the building.

    Args:
        notice: what it is about.
        channel: "email" or "letter".
        address: e-mail address of the receiver.
        addressee: name that stands on a letter.
        config: the installation's settings.
        now: date of the message.

    Raises:
        DeliveryFailed: "mail_unreachable", "mail_refused" or "folder_not_writable".
    """
    subject, body = write(notice, public_url=config.public_url)
    if channel == "letter":
        _put(config.data_dir / "letters" / f"{notice.id}.txt", f"{addressee}\n{now:%Y-%m-%d}\n\n{body}".encode())
        return
    message = make_mail(notice, subject, body, address=address, sender=config.mail_from, now=now)
    if config.smtp_url:
        _post(message, config.smtp_url)
    else:
        _put(config.data_dir / "mail" / f"{notice.id}.eml", message.as_bytes())


def make_mail(notice: Notice, subject: str, body: str, *, address: str, sender: str, now: datetime) -> EmailMessage:
    """Make the mail; its Message-ID is the delivery's id, so a second copy is recognised as one."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = address
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = notice.language
    message.set_content(body)
    return message


def _put(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; writing it again changes nothing."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_bytes(content)
        new.replace(file)
    except OSError as error:
        raise DeliveryFailed("folder_not_writable") from error


def _post(message: EmailMessage, url: str) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT)
        with server:
            if parts.scheme != "smtps" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, OSError) as error:
        # Refusals are OSErrors too: smtplib's errors descend from it.
        refused = isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
        raise DeliveryFailed("mail_refused" if refused else "mail_unreachable") from error
