"""Pretend mobile networks: old telephones, providers with their HTTP interfaces, an SMSC, and faults on demand."""
