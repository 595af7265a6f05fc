"""What the pretend bot platforms have in common: bots that ask or are brought to, phones, faults, a ledger."""
