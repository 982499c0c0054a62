"""For contributors: write a migration from what the models say (`make migration MESSAGE="add a column"`).

`--rewrite` makes 0001 anew; that is allowed until the first release only, afterwards migrations only add up.
Read what was written before you commit it: renames and moves of data are yours to write.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import DowngradeOps, UpgradeOps
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from nrm.db import Base, prepare_engine
from nrm.migrations.run import FOLDER, HEAD_FILE, head, render_item, upgrade

_FIRST: Final = "0001_first_tables.py"

_HEADER: Final = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nrm.db import UtcDateTime
{imports}
revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
{up}


def downgrade() -> None:
{down_code}
'''


def missing(*, rewrite: bool = False) -> tuple[str, str] | None:
    """Give the code, up and down, that leads from the newest migration to the models; None when nothing differs.

    Args:
        rewrite: start from nothing instead of the newest migration.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    prepare_engine(engine)
    if not rewrite:
        upgrade(engine)
    up, down = _code(engine)
    engine.dispose()
    return None if up.strip() == "pass" else (up, down)


def write_migration(title: str, *, rewrite: bool = False) -> Path | None:
    """Write the migration that leads from the newest revision to the models.

    Args:
        title: what it does, as a sentence without a full stop.
        rewrite: make 0001 anew instead.

    Returns:
        The new file, None when nothing differs.
    """
    code = missing(rewrite=rewrite)
    if code is None:
        return None
    up, down = code
    number, previous, imports = f"{int(head()) + 1:04d}", f'"{head()}"', ""
    file = FOLDER / "versions" / f"{number}_{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.py"
    if rewrite:
        number, previous, file = "0001", "None", FOLDER / "versions" / _FIRST
        imports = "from nrm.migrations.append_only import install_triggers, remove_triggers\n"
        imports += "from nrm.migrations.event_order import install_order, remove_order\n"
        up += "\n    install_triggers(op.get_bind())\n    install_order(op.get_bind())"
        down = "    remove_order(op.get_bind())\n    remove_triggers(op.get_bind())\n" + down
    text = _HEADER.format(title=title, imports=imports, revision=number, down=previous, up=up, down_code=down)
    file.write_text(text)
    HEAD_FILE.write_text(number + "\n")
    return file


def _code(engine: Engine) -> tuple[str, str]:
    with engine.connect() as connection:
        script = produce_migrations(_context(connection), Base.metadata)
        up, down = script.upgrade_ops, script.downgrade_ops
        if up is None or down is None:
            raise RuntimeError("Alembic compared nothing")
        return _render(up), _render(down)


def _render(operations: UpgradeOps | DowngradeOps) -> str:
    code = render_python_code(operations, render_as_batch=True, render_item=render_item)
    # Alembic names our types by the module that holds them, and comments what it did.
    lines = [line for line in code.splitlines() if not line.strip().startswith("#")]
    return "\n".join(line if line.startswith("    ") else "    " + line for line in lines)


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"target_metadata": Base.metadata, "render_as_batch": True})


def main(arguments: list[str]) -> int:
    """Run the command.

    Returns:
        Exit status: 0, or 1 when there is nothing to write.
    """
    parser = argparse.ArgumentParser(prog="python -m nrm.migrations.write", description=__doc__)
    parser.add_argument("title", nargs="?", default="Make the first tables")
    parser.add_argument("--rewrite", action="store_true", help="make 0001 anew (until the first release)")
    given = parser.parse_args(arguments)
    file = write_migration(given.title, rewrite=given.rewrite)
    if file is None:
        sys.stderr.write("the models are what the newest migration makes: nothing to write\n")
        return 1
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(file)], check=False)  # noqa: S603
    sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
