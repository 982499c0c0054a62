"""The command `nrm`: everything that an administrator does at a terminal.

Exit status: 0 when all is well, 1 when something was found (findings, differences), 2 when the command cannot be
carried out as it was given.
"""

from __future__ import annotations

import sys

import click

from api.cli.databases import db, verify
from api.cli.forms import form
from api.cli.keys import key
from api.cli.lists import import_
from api.cli.packs import pack
from api.cli.paths import path
from api.cli.sandbox import sandbox
from api.cli.serving import demo, serve, worker
from api.cli.starting import complain, describe, example
from api.cli.texts import texts
from api.cli.users import user
from nrm.actions.pack_checks import render_problem
from nrm.config import BadSetting
from nrm.countries import BadPack
from nrm.errors import NrmError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@example("nrm db upgrade && nrm pack load && nrm serve")
def nrm() -> None:
    """National Referral Mechanism: run referral paths per returnee.

    Settings come from the environment: NRM_DATABASE_URL, NRM_DATA_DIR, NRM_SECRET, NRM_COUNTRY, PORT.
    """


for _command in (db, pack, path, form, texts, user, key, sandbox, import_, serve, worker, verify, demo):
    nrm.add_command(_command)


def main() -> None:
    """Run the command and end the process with its exit status."""
    try:
        status = nrm(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (BadSetting, OSError) as error:
        complain(str(error))
        sys.exit(2)
    except BadPack as error:
        for problem in error.problems:
            complain(f"{problem.file} {problem.pointer}: {render_problem(problem, 'en')}")
        sys.exit(1)
    except NrmError as error:
        describe(error)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
