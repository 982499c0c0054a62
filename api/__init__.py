"""The doors: HTTP and command line; they decide nothing."""
