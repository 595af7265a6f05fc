"""storage remembers: tables and the questions asked of them, one noun per file."""
