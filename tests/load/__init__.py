"""Load: what a completion, a claim, an inbox and a web process cost beside the bare libraries."""
