"""Files from the command line: checked, moved, and a start that is refused where they could not be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buckets import BUCKET, S3, SECRET_KEY, an_s3
from tests.operators import Operator


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with an_s3() as found:
        yield found


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    person = Operator(tmp_path)
    person.gets("db", "upgrade")
    return person


def test_a_disk_is_checked(operator: Operator, tmp_path: Path) -> None:
    assert f"ok    files: {tmp_path}/blobs" in operator.gets("blobs", "check")


def test_a_bucket_is_checked(operator: Operator, s3: S3) -> None:
    result = operator.types("blobs", "check", **s3.env)
    assert result.exit_code == 0, result.output
    assert f"s3://{BUCKET}/files can be written, read and cleared" in result.output


@pytest.mark.parametrize("command", [("blobs", "check"), ("web",), ("worker",), ("up",)])
def test_a_bucket_that_is_not_there_stops_the_start_with_a_sentence(
    operator: Operator, s3: S3, command: tuple[str, ...]
) -> None:
    result = operator.types(*command, **{**s3.env, "HAICHIEU_BLOBS": "s3://no-such-bucket"})
    assert result.exit_code == 1
    assert "there is no bucket no-such-bucket; create it, or correct HAICHIEU_BLOBS" in result.output
    assert SECRET_KEY not in result.output
    assert "Traceback" not in result.output


def test_a_store_that_is_away_fails_the_check(operator: Operator, s3: S3) -> None:
    result = operator.types("blobs", "check", **{**s3.env, "HAICHIEU_BLOBS_ENDPOINT": "http://127.0.0.1:9"})
    assert result.exit_code == 1
    assert "EndpointConnectionError" in result.output


def test_files_move_by_command(operator: Operator, s3: S3) -> None:
    result = operator.types("blobs", "move", **s3.env, HAICHIEU_BLOBS_FORMER="disk")
    assert result.exit_code == 0, result.output
    assert "moved 0 files" in result.output
    assert "HAICHIEU_BLOBS_FORMER is not set" in operator.types("blobs", "move", **s3.env).output


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HAICHIEU_BLOBS": "s3:/bucket"}, "HAICHIEU_BLOBS: must be disk or s3://bucket/prefix"),
        ({"HAICHIEU_BLOBS_ENDPOINT": "minio:9000"}, "HAICHIEU_BLOBS_ENDPOINT: must begin with https://"),
        ({"HAICHIEU_BLOBS_KEY_ID": "a"}, "one without the other opens nothing"),
        ({"HAICHIEU_BLOBS_FORMER": "disk"}, "the same place as HAICHIEU_BLOBS"),
    ],
)
def test_wrong_settings_are_named(operator: Operator, env: dict[str, str], words: str) -> None:
    result = operator.types("blobs", "check", **env)
    assert result.exit_code == 1
    assert words in result.output
