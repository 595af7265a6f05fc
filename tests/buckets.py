"""Buckets for tests: moto's server, an S3 that others wrote, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

from adapters.secret import Secret
from bot.bucket import Bucket, BucketAccess

KEY_ID, SECRET_KEY = "AKIAEXAMPLENOTREAL00", "an-example-secret-that-opens-nothing"
BUCKET = "haichieu-tests"


@dataclass
class S3:
    """A running store with one empty bucket."""

    server: ThreadedMotoServer
    url: str

    @property
    def access(self) -> BucketAccess:
        """How it is reached."""
        return BucketAccess(self.url, "us-east-1", KEY_ID, Secret(SECRET_KEY))

    def bucket(self, where: str = f"s3://{BUCKET}/files") -> Bucket:
        """Our store in its bucket."""
        return Bucket(where, self.access)

    def objects(self) -> list[str]:
        """Whatever lies in the bucket."""
        pages = _client(self.url).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    @property
    def env(self) -> dict[str, str]:
        """The settings of an installation that uses it."""
        return {
            "HAICHIEU_BLOBS": f"s3://{BUCKET}/files",
            "HAICHIEU_BLOBS_ENDPOINT": self.url,
            "HAICHIEU_BLOBS_KEY_ID": KEY_ID,
            "HAICHIEU_BLOBS_SECRET_KEY": SECRET_KEY,
        }


@contextmanager
def an_s3() -> Iterator[S3]:
    """A store on a free port; it forgets everything when it ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3 = S3(server, f"http://{host}:{port}")
    _client(s3.url).create_bucket(Bucket=BUCKET)
    try:
        yield s3
    finally:
        httpx.post(f"{s3.url}/moto-api/reset", trust_env=False)
        server.stop()


def _client(url: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET_KEY
    )
