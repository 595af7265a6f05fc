"""The servers that some tests need: found, skipped loudly where there is none, a failure under CI.

TEST_POSTGRES_URL and TEST_REDIS_URL name others than this machine's. They do not begin with HAICHIEU_, which names
settings of the product only.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest
import redis
import sqlalchemy as sa

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql:///postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")


def postgres_or_skip() -> sa.Engine:
    """A connection to PostgreSQL."""
    engine = sa.create_engine(sa.make_url(POSTGRES.replace("postgresql://", "postgresql+psycopg://", 1)))
    try:
        with engine.connect():
            return engine
    except sa.exc.OperationalError as error:
        _missing("PostgreSQL", "TEST_POSTGRES_URL", "half of the storage promise is unseen", error)


def redis_or_skip(number: int) -> str:
    """The URL of a numbered database of Redis."""
    url = f"{REDIS}/{number}"
    try:
        redis.Redis.from_url(url, socket_connect_timeout=2).ping()
    except redis.RedisError as error:
        _missing("Redis", "TEST_REDIS_URL", "the RQ engine is unseen", error)
    return url


def _missing(server: str, variable: str, unseen: str, error: Exception) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs {server} at {variable}: {error}")
    pytest.skip(f"SKIPPED: no {server} here (set {variable}); {unseen}")
