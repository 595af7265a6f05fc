"""Buckets: files in an S3-compatible store that the processes of several machines share."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.secret import Secret
from bot.stores import NAME, StoreAway, StoreUnusable

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS, TRIES = 3.0, 10.0, 3
# What no waiting will mend; each with what an operator does about it.
_TO_MEND = {
    "NoSuchBucket": "there is no bucket {bucket}; create it, or correct HAICHIEU_BLOBS",
    "AccessDenied": "the key may not read, write, list and delete in {bucket}; widen its rights",
    "403": "the key may not read, write, list and delete in {bucket}; widen its rights",
    "InvalidAccessKeyId": "the store does not know HAICHIEU_BLOBS_KEY_ID",
    "SignatureDoesNotMatch": "HAICHIEU_BLOBS_SECRET_KEY does not belong to the key",
    "NoCredentialsError": "no keys; set HAICHIEU_BLOBS_KEY_ID and HAICHIEU_BLOBS_SECRET_KEY",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set HAICHIEU_BLOBS_REGION",
    "PermanentRedirect": "the bucket is in another region; set HAICHIEU_BLOBS_REGION",
    "NoRegionError": "no region; set HAICHIEU_BLOBS_REGION",
}


@dataclass(frozen=True)
class BucketAccess:
    """How buckets are reached; without an endpoint it is Amazon's, without keys what the machine itself may do."""

    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret_key: Secret = Secret("")  # noqa: RUF009 - it cannot be changed


class Bucket:
    """Files below a prefix of one bucket; safe to share between threads."""

    def __init__(self, url: str, access: BucketAccess) -> None:
        self.place = url.rstrip("/")
        self._bucket, _, prefix = self.place.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = access.endpoint
        self._client = _client(access)

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes: an object is there whole or not at all."""
        key = self._key(name)
        self._ask(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=data))

    def get(self, name: str) -> bytes | None:
        """The bytes, or None."""
        key = self._key(name)
        return self._found(lambda: bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()))

    def has(self, name: str, size: int) -> bool:
        """Whether the object is there, in that size."""
        key = self._key(name)
        return self._found(lambda: self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]) == size

    def remove(self, name: str) -> None:
        """Remove it if it is there."""
        key = self._key(name)
        self._ask(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def names(self) -> Iterator[str]:
        """Names of all our objects, a page at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        rest = iter(pages)
        while (page := self._ask(lambda: next(rest, None))) is not None:
            keys = (str(one["Key"]).removeprefix(self._prefix) for one in page.get("Contents", ()))
            yield from (name for key in keys if NAME.fullmatch(name := key.rpartition("/")[2]))

    def check(self) -> None:
        """Whether the bucket is there and the key may do all we need."""
        name = secrets.token_hex(16)
        self._ask(lambda: self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1))
        self.put(name, b"check")
        if self.get(name) != b"check":
            raise StoreUnusable("other_bytes", f"{self.place} gives back other bytes than were put there")
        self.remove(name)

    def _key(self, name: str) -> str:
        # Rows hold names that we made; anything else is nobody's.
        return f"{self._prefix}{name[:2]}/{name}" if NAME.fullmatch(name) else f"{self._prefix}none/such"

    def _found(self, ask: Callable[[], T]) -> T | None:
        return self._ask(ask, missing_is_fine=True)

    def _ask(self, ask: Callable[[], T], *, missing_is_fine: bool = False) -> T | None:
        """What the store answers; its own words are not passed on: they may repeat addresses and keys."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            return ask()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))[:60]
            if missing_is_fine and code in {"NoSuchKey", "404"}:
                return None
        except (BotoCoreError, HTTPClientError) as error:
            code = type(error).__name__
        if code in _TO_MEND:
            raise StoreUnusable(code, f"{self.place}: {_TO_MEND[code].format(bucket=self._bucket)} ({code})")
        raise StoreAway(f"{self.place}{f' at {self._endpoint}' if self._endpoint else ''}: {code}")


def _client(access: BucketAccess) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise StoreUnusable("no_boto3", "s3://… needs boto3: pip install 'haichieu[s3]'") from None
    for name in ("botocore", "boto3", "urllib3", "s3transfer"):
        logging.getLogger(name).setLevel(logging.WARNING)  # on finer levels they write down signatures
    how = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=32,
        signature_version="s3v4",
        s3={"addressing_style": "path"} if access.endpoint else {},
        # Stores other than Amazon's often know no checksums but those of the signature.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=access.endpoint or None,
        region_name=access.region or ("us-east-1" if access.endpoint else None),
        aws_access_key_id=access.key_id or None,
        aws_secret_access_key=access.secret_key.reveal() or None,
        config=how,
    )
