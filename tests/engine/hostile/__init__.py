"""Hostile diagrams: each must get its named finding, soon, and run no code."""
