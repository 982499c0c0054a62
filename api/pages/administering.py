"""The pages of those who administer, as the application registers them."""

from __future__ import annotations

from typing import Final

from api.pages.administration import administration
from api.pages.country import country
from api.pages.decision_tables import decision_tables
from api.pages.directory_admin import directory_admin
from api.pages.incidents import incidents
from api.pages.keys import keys
from api.pages.kit.visits import Pages
from api.pages.pack_labels import pack_labels
from api.pages.users import users

ADMINISTERING: Final[tuple[Pages, ...]] = (
    administration,
    incidents,
    directory_admin,
    country,
    pack_labels,
    decision_tables,
    users,
    keys,
)
