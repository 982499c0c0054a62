"""Who asks, from where, and what a browser may do with an answer."""
