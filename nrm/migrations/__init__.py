"""The tables' history: numbered migrations, each up and down, on SQLite and PostgreSQL."""
