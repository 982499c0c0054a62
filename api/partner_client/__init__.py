"""What partners may take away: a client of one file that needs nothing but Python."""
