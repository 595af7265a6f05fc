"""Papers as PDF: what they say, and that they are always the same."""
