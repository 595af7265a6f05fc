"""Rehearsals with programs by other hands that speak a channel's protocol; run by `make peers`, skipped loudly."""
