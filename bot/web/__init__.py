"""The doors for browsers and channels."""
