"""The pure engine: a path version, a state and an input become a new state and effects."""
