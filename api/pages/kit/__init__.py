"""What every page stands on: who visits, the words of the reader's language, static files."""
