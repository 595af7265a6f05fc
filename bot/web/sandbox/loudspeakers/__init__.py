"""A pretend source information system: villages with loudspeakers that play, break and report, and a board each."""
