"""All changes: one verb is one permission check, one transaction and the events it records.

Importing any verb fills the registry of checks, which runs look up by name.
"""

from nrm.actions import checks

__all__ = ["checks"]
