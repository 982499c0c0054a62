"""The runner's loop and its handlers; it acts as the system through the actions."""
