"""The settings of one installation, read once from the environment (names start with `NRM_`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class BadSetting(Exception):
    """A setting cannot be used; the text names it and says what to write."""


PACKS_DIR: Final = Path("workflows")
"""Where country packs lie when NRM_PACKS_DIR does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHost:
    """A host of an inner network to which this installation may connect.

    Attributes:
        host: its exact name, or its address.
        port: its port.
        network: the network in which all its addresses must lie.
    """

    host: str
    port: int
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One installation.

    Attributes:
        database_url: SQLAlchemy URL; SQLite in `data_dir` by default, `postgresql://…` in production.
        data_dir: folder for the embedded database, documents, mail spool and the demo clock.
        secret: at least 32 characters; signs paging cursors and keys the search index. Changing it makes the
            search index useless until it is rebuilt.
        country: folder name of the country pack; without NRM_COUNTRY the one named in `packs_dir`/default_country.
        packs_dir: folder that holds the packs.
        demo: demonstration mode: movable clock, demo sign-ins, plain cookies on loopback. Never with real people.
        cookie_secure: send the session cookie over HTTPS only (the `__Host-` cookie); off only in demo mode.
        session_idle_minutes: minutes without a request after which a session ends.
        session_hours: hours after which a session ends in any case.
        password_memory_kib: memory of one password check in KiB (Argon2id; OWASP's least is 19456 with two rounds).
        password_rounds: rounds of one password check.
        pool_size: database connections kept by one process.
        smtp_url: `smtp://user:password@host:port`; empty writes mail into `data_dir`/mail instead of sending.
        mail_from: sender address of all mail.
        sms_url: address of a gateway for text messages to returnees; empty for none.
        sms_token: what the gateway knows this installation by.
        public_url: address at which people reach the service, for links in mail.
        worker_threads: threads of the embedded runner, ≥ 1.
        worker_poll_seconds: longest pause of an idle runner.
        worker_silent_seconds: age of the last sign of life after which the runner counts as silent.
        outbound_ports: ports of the open internet to which webhooks may go.
        outbound_allowed: hosts of inner networks to which they may go too.
        outbound_ca_file: file of certificate authorities beside the system's; empty for none.
        long_polls: how many readers of the events feed one web process lets wait at a time; 0 for none.
        trusted_proxies: number of proxies in front whose forwarded headers are believed.
        log_level: debug, info, warning or error.
        allow_static_keys: partners' programs may send a key with each request; without it only tokens of clients
            count.
        key_rate: requests a second that one key or client may go on sending.
        key_burst: requests that one key or client may send at once after a rest.
        search_rate: searches for people a second that one user may go on sending; five times as many at once.
    """

    database_url: str
    data_dir: Path
    secret: str
    country: str = ""
    packs_dir: Path = PACKS_DIR
    demo: bool = False
    cookie_secure: bool = True
    session_idle_minutes: int = 30
    session_hours: int = 10
    password_memory_kib: int = 19456
    password_rounds: int = 2
    pool_size: int = 10
    smtp_url: str = ""
    mail_from: str = "nrm@localhost"
    sms_url: str = ""
    sms_token: str = ""
    public_url: str = "http://127.0.0.1:8000"
    worker_threads: int = 2
    worker_poll_seconds: float = 1.0
    worker_silent_seconds: int = 60
    outbound_ports: frozenset[int] = frozenset({443})
    outbound_allowed: tuple[AllowedHost, ...] = ()
    outbound_ca_file: str = ""
    long_polls: int = 2
    trusted_proxies: int = 0
    log_level: str = "info"
    allow_static_keys: bool = True
    key_rate: int = 10
    key_burst: int = 50
    search_rate: int = 2

    @property
    def second_factor_needed(self) -> bool:
        """Whether everybody must have a second factor; not in a demonstration, which stays on its machine."""
        return not self.demo or self.cookie_secure

    @property
    def pack_dir(self) -> Path:
        """Folder of this installation's country pack."""
        return self.packs_dir / self.country


def read_config(env: Mapping[str, str]) -> Config:
    """Read the settings from environment variables.

    Args:
        env: usually `os.environ`.

    Raises:
        BadSetting: when a value cannot be used, or the secret is missing outside demo mode.
    """
    demo = _flag(env, "NRM_DEMO", default=False)
    data_dir = Path(env.get("NRM_DATA_DIR", "data")).resolve()
    default = Config(database_url="", data_dir=data_dir, secret="")
    pack_dir = read_pack_dir(env)
    return Config(
        database_url=_database_url(_text(env, "NRM_DATABASE_URL"), data_dir),
        data_dir=data_dir,
        secret=_secret(env, data_dir, demo=demo),
        country=pack_dir.name,
        packs_dir=pack_dir.parent,
        demo=demo,
        cookie_secure=_flag(env, "NRM_COOKIE_SECURE", default=not demo),
        session_idle_minutes=_whole(env, "NRM_SESSION_IDLE_MINUTES", default.session_idle_minutes),
        session_hours=_whole(env, "NRM_SESSION_HOURS", default.session_hours),
        password_memory_kib=_whole(env, "NRM_PASSWORD_MEMORY_KIB", default.password_memory_kib, least=8),
        password_rounds=_whole(env, "NRM_PASSWORD_ROUNDS", default.password_rounds),
        pool_size=_whole(env, "NRM_POOL_SIZE", default.pool_size),
        smtp_url=env.get("NRM_SMTP_URL", default.smtp_url),
        mail_from=env.get("NRM_MAIL_FROM", default.mail_from),
        sms_url=_gateway(env),
        sms_token=_text(env, "NRM_SMS_TOKEN"),
        public_url=env.get("NRM_PUBLIC_URL", default.public_url).rstrip("/"),
        worker_threads=_whole(env, "NRM_WORKER_THREADS", default.worker_threads),
        worker_poll_seconds=_seconds(env, "NRM_WORKER_POLL_SECONDS", default.worker_poll_seconds),
        worker_silent_seconds=_whole(env, "NRM_WORKER_SILENT_SECONDS", default.worker_silent_seconds),
        outbound_ports=_ports(env, "NRM_OUTBOUND_PORTS", default.outbound_ports),
        outbound_allowed=_hosts(env, "NRM_OUTBOUND_ALLOWED"),
        outbound_ca_file=_file(env, "NRM_OUTBOUND_CA_FILE"),
        long_polls=_whole(env, "NRM_LONG_POLLS", default.long_polls, least=0),
        trusted_proxies=_whole(env, "NRM_TRUSTED_PROXIES", default.trusted_proxies, least=0),
        log_level=env.get("NRM_LOG_LEVEL", default.log_level).lower(),
        allow_static_keys=_flag(env, "NRM_ALLOW_STATIC_KEYS", default=default.allow_static_keys),
        key_rate=_whole(env, "NRM_KEY_RATE", default.key_rate),
        key_burst=_whole(env, "NRM_KEY_BURST", default.key_burst),
        search_rate=_whole(env, "NRM_SEARCH_RATE", default.search_rate),
    )


def read_pack_dir(env: Mapping[str, str]) -> Path:
    """Find the folder of the installation's country pack; nothing else need be set for it.

    Args:
        env: usually `os.environ`.

    Raises:
        BadSetting: no country is named.
    """
    packs_dir = Path(env.get("NRM_PACKS_DIR", str(PACKS_DIR)))
    return packs_dir / (env.get("NRM_COUNTRY") or _default_country(packs_dir))


def _default_country(packs_dir: Path) -> str:
    try:
        return (packs_dir / "default_country").read_text().strip()
    except OSError:
        raise BadSetting("NRM_COUNTRY: name a folder of country packs") from None


def _text(env: Mapping[str, str], name: str) -> str:
    """Read a value, or the file that `NAME_FILE` points to: secrets need not stand in the environment."""
    file = env.get(f"{name}_FILE")
    if not file:
        return env.get(name, "")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE: {file}: {error.strerror}") from error


def _gateway(env: Mapping[str, str]) -> str:
    url = env.get("NRM_SMS_URL", "")
    if url and not url.startswith("https://"):
        raise BadSetting("NRM_SMS_URL: write https://…, or leave it out to send no text messages")
    return url


def _database_url(url: str, data_dir: Path) -> str:
    if not url:
        return f"sqlite:///{data_dir / 'nrm.sqlite3'}"
    if url.startswith("postgres://"):
        return "postgresql+psycopg://" + url.removeprefix("postgres://")
    if url.startswith("postgresql://"):
        return "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if url.startswith(("postgresql+psycopg://", "sqlite:///")):
        return url
    raise BadSetting("NRM_DATABASE_URL: write postgresql://… or sqlite:///…")


def _secret(env: Mapping[str, str], data_dir: Path, *, demo: bool) -> str:
    text = _text(env, "NRM_SECRET")
    if not text and demo:
        kept = data_dir / "demo-secret"
        text = kept.read_text().strip() if kept.exists() else ""
        if not text:
            return "demo only, not for real people: " + "0" * 16
    if len(text) < 32:
        raise BadSetting("NRM_SECRET (or NRM_SECRET_FILE): give at least 32 random characters")
    return text


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").lower()
    if text in {"", "1", "0", "true", "false", "yes", "no"}:
        return default if not text else text in {"1", "true", "yes"}
    raise BadSetting(f"{name}: write 1 or 0")


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise BadSetting(f"{name}: write a whole number of at least {least}")
    return int(text)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 < value < 3600:
        raise BadSetting(f"{name}: write seconds between 0 and 3600")
    return value


def _ports(env: Mapping[str, str], name: str, default: frozenset[int]) -> frozenset[int]:
    parts = [part.strip() for part in env.get(name, "").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 65535 for part in parts):
        raise BadSetting(f"{name}: write ports with commas between, like 443,8443")
    return frozenset(map(int, parts)) or default


def _hosts(env: Mapping[str, str], name: str) -> tuple[AllowedHost, ...]:
    return tuple(_host(part.strip(), name) for part in env.get(name, "").split(",") if part.strip())


def _host(text: str, name: str) -> AllowedHost:
    """Read "hooks.example:8443=10.1.0.0/16"."""
    place, _, network = text.partition("=")
    host, _, port = place.rpartition(":")
    try:
        return AllowedHost(host=host.lower().strip("[]"), port=int(port), network=ipaddress.ip_network(network))
    except ValueError:
        raise BadSetting(f"{name}: {text}: write host:port=network, like hooks.example:443=10.1.0.0/16") from None


def _file(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "")
    if text and not Path(text).is_file():
        raise BadSetting(f"{name}: {text}: there is no such file")
    return text
