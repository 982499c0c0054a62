"""The demonstration as a newcomer meets it: one command that makes and serves it, and one that walks a whole case."""
