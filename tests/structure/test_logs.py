"""Logs tell what happened, never what a citizen said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import structlog

from bot import logs

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"log\.(?:debug|info|warning|error|exception)\(([^)]*)\)", re.DOTALL)


def test_fields_that_could_hold_words_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "info")
    structlog.get_logger().info("something.happened", delivery_id=7, text="ổ gà", phone="0900", token="abc")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["event"], line["delivery_id"]) == ("something.happened", 7)
    assert not {"text", "phone", "token"} & set(line)


def test_a_new_set_up_reaches_a_logger_that_was_used_before(capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger()
    logs.configure("json", "info")
    log.info("before")
    logs.configure("console", "warning")
    capsys.readouterr()
    log.info("too.quiet")
    log.warning("after")
    told = capsys.readouterr().err
    assert "after" in told
    assert "too.quiet" not in told
    assert "{" not in told


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_exception_is_logged_by_place_not_by_its_words(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    logs.configure(log_format, "info")
    try:
        raise ValueError("tôi ở xóm 5, số 0900 123 456")
    except ValueError:
        structlog.get_logger().exception("job.failed", job="inbox")
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "test_logs.py" in told
    assert "0900" not in told


def test_events_are_named_like_facts() -> None:
    for path in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("adapters/*.py"), *ROOT.glob("storage/*.py")]:
        for arguments in CALL.findall(path.read_text(encoding="utf-8")):
            name = arguments.strip().split(",")[0].strip().strip('"')
            assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", name), f"{path.name}: {name}"
