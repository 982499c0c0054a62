"""`nrm user …`: who may sign in, and where they sit."""

from __future__ import annotations

import os

import click

from api.cli.starting import application, example, print_json
from nrm.actions import seats, users
from nrm.actors import SYSTEM
from nrm.installation import installation
from nrm.queries import directory, packs
from nrm.queries.users import UserRow
from nrm.queries.users import users as find_users


@click.group()
def user() -> None:
    """Add and disable users, give and end seats."""


def _password() -> str:
    given = os.environ.get("NRM_NEW_PASSWORD", "")
    return given or str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _find(login: str) -> UserRow:
    wanted = users.clean_login(login)
    found = find_users(SYSTEM, installation().clock.now(), text=wanted, limit=100)
    user = next((entry for entry in found.items if entry.login == wanted), None)
    if user is None:
        raise click.UsageError(f"There is no user {wanted}.")
    return user


def _place(desk: str | None, organisation: str | None) -> tuple[str, str | None]:
    """Give the organisation and desk of a seat by their codes."""
    if desk is not None:
        place = next((entry for entry in packs.pack().desks if entry.code == desk), None)
        if place is None:
            raise click.UsageError(f"There is no desk {desk}.")
        return place.organisation_id, place.id
    if organisation is None:
        raise click.UsageError("Give --desk or --organisation.")
    return directory.organisation_id(organisation), None


@user.command()
@click.argument("login")
@click.option("--name", required=True, help="The name as colleagues know it.")
@click.option("--role", help="Role key of the pack.")
@click.option("--desk", help="Code of the desk.")
@click.option("--organisation", help="Code of the organisation, for a seat over all its desks.")
@click.option("--language", type=click.Choice(["ar", "ckb", "en"]), default="ar", show_default=True)
@click.option("--json", "as_json", is_flag=True)
@example('nrm user add handler.one --name "Handler One" --role case_handler --desk cases_norvale')
def add(
    login: str, *, name: str, role: str | None, desk: str | None, organisation: str | None, language: str, as_json: bool
) -> None:
    """Add a user; the password is asked for, or taken from NRM_NEW_PASSWORD."""
    with application():
        # Before the user is made: a slip in a code leaves nothing half-done.
        seat = _place(desk, organisation) if role is not None else None
        if role is not None and role not in packs.pack().roles:
            raise click.UsageError(f"There is no role {role}.")
        made = users.add_user(SYSTEM, login=login, name=name, password=_password(), language=language)
        if role is not None and seat is not None:
            seats.give_membership(SYSTEM, made.id, organisation_id=seat[0], desk_id=seat[1], role=role)
    print_json({"id": made.id, "login": login}) if as_json else click.echo(f"Added {login}.")


@user.command()
@click.argument("login")
@example("nrm user disable handler.one")
def disable(login: str) -> None:
    """Shut a user out at once; sessions end, claimed tasks go back to their desks."""
    with application():
        users.disable_user(SYSTEM, _find(login).id)
    click.echo(f"Disabled {login}.")


@user.command("reset-second-factor")
@click.argument("login")
@example("nrm user reset-second-factor handler.one")
def reset_factor(login: str) -> None:
    """Take away the second factor of somebody who lost phone and recovery codes; a new one is set up at sign-in."""
    with application():
        users.reset_second_factor(SYSTEM, _find(login).id)
    click.echo(f"{login} sets up a new second factor at the next sign-in.")


@user.command()
@click.argument("login")
@click.argument("role")
@click.option("--desk", help="Code of the desk.")
@click.option("--organisation", help="Code of the organisation, for a seat over all its desks.")
@click.option("--end", is_flag=True, help="End the seats that the user has in this role.")
@example("nrm user role handler.one supervisor --desk supervisors_norvale")
def role(login: str, role: str, *, desk: str | None, organisation: str | None, end: bool) -> int:
    """Give a user a role at a desk or in an organisation, or end it."""
    with application():
        found = _find(login)
        if not end:
            whole, place = _place(desk, organisation)
            seats.give_membership(SYSTEM, found.id, organisation_id=whole, desk_id=place, role=role)
            click.echo(f"{login} is {role}.")
            return 0
        held = [seat.id for seat in found.memberships if seat.role == role]
        for seat in held:
            seats.end_membership(SYSTEM, seat)
    click.echo(f"{len(held)} seats ended.")
    return 0 if held else 1
