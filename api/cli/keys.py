"""`nrm key …`: keys of partner programs, shown once."""

from __future__ import annotations

import click

from api.cli.starting import application, example, print_json
from nrm.actions.keys import IssuedKey, issue_key, revoke_key
from nrm.actors import SYSTEM
from nrm.queries import directory
from nrm.rules.permissions import SCOPES

_SCOPE = click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(sorted(SCOPES)), help="May be given often."
)
_NAME = click.option("--name", required=True, help="What the key is for.")
_DAYS = click.option("--days", type=click.IntRange(1, 365), default=180, show_default=True)
_TEST = click.option("--test", is_flag=True, help="A key that only sees invented people.")
_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def key() -> None:
    """Issue, revoke and rotate keys of partner programs."""


def _show(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": issued.id, "key": issued.text, "expires_at": issued.expires_at.isoformat()})
        return
    click.echo(f"{issued.text}\nIt is shown this once. Id {issued.id}, valid until {issued.expires_at:%Y-%m-%d}.")


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
@click.argument("organisation")
@_NAME
@_SCOPE
@_DAYS
@_TEST
@_JSON
@example('nrm key rotate key_0123456789abcdefghjkmnpqrs bright_bridge --name "new" --scope referrals:read')
def rotate(
    key_id: str, organisation: str, *, name: str, scopes: tuple[str, ...], days: int, test: bool, as_json: bool
) -> None:
    """Issue a new key to ORGANISATION, then revoke the old one."""
    with application():
        issued = _issue(organisation, name, scopes, days, test=test)
        revoke_key(SYSTEM, key_id)
        _show(issued, as_json=as_json)
