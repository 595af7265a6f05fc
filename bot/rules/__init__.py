"""Pure decisions: plain values in, plain values out; no database, no network, no clock of their own."""
