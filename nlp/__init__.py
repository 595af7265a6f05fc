"""nlp understands: text in, Reading out; no database, no network, no clock."""
