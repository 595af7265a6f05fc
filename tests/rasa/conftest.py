"""The working morning of the use-case tests."""

from __future__ import annotations

from tests.usecases.conftest import morning, one_reader

__all__ = ["morning", "one_reader"]
