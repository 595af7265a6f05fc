"""A pretend Bot API server: bots that are asked or that bring, citizens with buttons, and faults on demand."""
