"""All changes: one verb is one permission check, one transaction and the events it records."""
