"""Use cases: one imperative function for each wish, each its own transaction."""
