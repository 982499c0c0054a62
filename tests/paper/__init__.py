"""Letters as they come out of the printer; `make print-check` runs this where Pango is installed."""
