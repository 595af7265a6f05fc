"""Logs: events with fields, ids only; never a citizen's words, names, numbers or tokens."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

NEVER = frozenset({"text", "body", "name", "phone", "address", "token", "secret", "password", "words"})


def configure(log_format: str, level: str) -> None:
    """Set up logging once per process; `log_format` is "console" or "json"."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_words,
            where_it_broke,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # configuring anew must reach every module's logger
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")


def without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out fields that could hold what a citizen said, whoever put them there."""
    return {key: value for key, value in event.items() if key not in NEVER}


def where_it_broke(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception keep its type and the places it passed; its message may quote what a citizen wrote."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if not info or info[0] is None:
        return event
    kind, _, trace = info
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return {**event, "exception": kind.__name__, "at": " < ".join(reversed(places[-8:]))}


def plain_traceback(_stream: Any, _info: Any) -> None:
    """Nothing: `where_it_broke` has said it already."""
