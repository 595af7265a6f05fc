"""Chaos: kill the gateway at random moments of a busy day and audit what is left."""
