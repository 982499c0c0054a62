"""`nrm key …`: keys of partner programs, shown once."""

from __future__ import annotations

import json
from typing import IO

import click

from api.cli.starting import application, example, print_json
from nrm.actions.keys import IssuedKey, issue_key, revoke_key, rotate_key
from nrm.actors import SYSTEM
from nrm.queries import directory
from nrm.queries import keys as queries
from nrm.queries.keys import KeyRow
from nrm.rules.permissions import SCOPES
from nrm.vocabulary import KeyKind

_SCOPE = click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(sorted(SCOPES)), help="May be given often."
)
_NAME = click.option("--name", required=True, help="What the key is for.")
_DAYS = click.option("--days", type=click.IntRange(1, 365), default=180, show_default=True)
_TEST = click.option("--test", is_flag=True, help="A key that only sees invented people.")
_JSON = click.option("--json", "as_json", is_flag=True)
_PUBLIC_KEY = click.option("--public-key", type=click.File("r", encoding="utf-8"), help="A file with a JWK.")


@click.group()
def key() -> None:
    """Issue, revoke and rotate keys of partner programs."""


def _show(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": issued.id, "key": issued.text, "expires_at": issued.expires_at.isoformat()})
        return
    shown = f"{issued.text}\nIt is shown this once. " if issued.text else ""
    click.echo(f"{shown}Id {issued.id}, valid until {issued.expires_at:%Y-%m-%d}.")


def _read(file: IO[str] | None) -> dict[str, object] | None:
    """Read a public key.

    Raises:
        UsageError: the file holds no JSON object.
    """
    if file is None:
        return None
    try:
        content = json.loads(file.read(10_000))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise click.UsageError("The file must hold one JWK: a JSON object.")
    return content


def _issue(organisation: str, name: str, scopes: tuple[str, ...], days: int, *, test: bool) -> IssuedKey:
    whose = directory.organisation_id(organisation)
    return issue_key(SYSTEM, whose, name=name, scopes=scopes, days=days, livemode=not test)


@key.command()
@click.argument("organisation")
@_NAME
@_SCOPE
@_DAYS
@_TEST
@_JSON
@example('nrm key issue bright_bridge --name "case system" --scope referrals:read --scope referrals:act')
def issue(organisation: str, *, name: str, scopes: tuple[str, ...], days: int, test: bool, as_json: bool) -> None:
    """Issue a key to ORGANISATION (its code)."""
    with application():
        _show(_issue(organisation, name, scopes, days, test=test), as_json=as_json)


@key.command()
@click.argument("key_id")
@example("nrm key revoke key_0123456789abcdefghjkmnpqrs")
def revoke(key_id: str) -> None:
    """Revoke a key at once, by its id."""
    with application():
        revoke_key(SYSTEM, key_id)
    click.echo("Revoked.")


@key.command()
@click.argument("key_id")
@_DAYS
@_PUBLIC_KEY
@_JSON
@example("nrm key rotate key_0123456789abcdefghjkmnpqrs --days 180")
def rotate(key_id: str, *, days: int, public_key: IO[str] | None, as_json: bool) -> None:
    """Replace a key or OAuth program by one like it; the old one counts for another day."""
    with application():
        _show(rotate_key(SYSTEM, key_id, days=days, public_key=_read(public_key)), as_json=as_json)


@key.command("list")
@click.argument("organisation", required=False)
@_JSON
@example("nrm key list bright_bridge")
def list_keys(organisation: str | None, *, as_json: bool) -> None:
    """List keys and OAuth programs, the newest first, of ORGANISATION (its code) or of all."""
    with application():
        whose = directory.organisation_id(organisation) if organisation else None
        after, more = None, True
        while more:
            page = queries.keys(SYSTEM, organisation_id=whose, after=after, limit=100)
            for row in page.items:
                _line(row, as_json=as_json)
            after, more = page.next_key, page.next_key is not None


def _line(row: KeyRow, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": row.id, "kind": row.kind, "name": row.name, "expires_at": row.expires_at.isoformat()})
        return
    state = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
    click.echo(f"{row.id}  {row.kind:13}  {state:16}  {' '.join(row.scopes)}  {row.name}")


@key.group()
def client() -> None:
    """Programs that get short tokens by OAuth, instead of a key that is sent each time."""


@client.command("issue")
@click.argument("organisation")
@_NAME
@_SCOPE
@_DAYS
@_TEST
@_PUBLIC_KEY
@_JSON
@example('nrm key client issue bright_bridge --name "case system" --scope referrals:read --public-key key.jwk')
def issue_client(
    organisation: str,
    *,
    name: str,
    scopes: tuple[str, ...],
    days: int,
    test: bool,
    public_key: IO[str] | None,
    as_json: bool,
) -> None:
    """Let a program of ORGANISATION (its code) in by OAuth: with a secret, or with its public key (a JWK)."""
    jwk = _read(public_key)
    kind = KeyKind.CLIENT_SECRET if jwk is None else KeyKind.CLIENT_KEY
    with application():
        whose = directory.organisation_id(organisation)
        issued = issue_key(
            SYSTEM, whose, name=name, scopes=scopes, days=days, livemode=not test, kind=kind, public_key=jwk
        )
        _show(issued, as_json=as_json)
