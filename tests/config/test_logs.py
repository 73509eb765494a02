"""Log lines as JSON: ids that lead to what happened, and nothing of what was sent."""

from __future__ import annotations

import json
import logging
import sys
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest

from catalog.ids import uuid7
from config.logs import FIELDS, JsonFormatter
from delivery import run_log
from delivery.claiming import LONG_AGO, Owed
from delivery.cloudevents import Envelope
from delivery.outgoing import Message
from delivery.transports import ErrorClass, Receipt, TransportError

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def line_of(record: logging.LogRecord) -> dict[str, object]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, object] = json.loads(line)
    return found


def record(message: str = "It happened", **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("test")
    return logger.makeRecord("test", logging.INFO, "x.py", 1, message, (), None, extra=extra)


def test_line_says_when_what_and_by_whom() -> None:
    line = line_of(record(event=uuid4()))
    assert {"time", "level", "logger", "message", "process", "event"} == line.keys()
    assert str(line["time"]).endswith("Z")
    assert line["level"] == "info"


def test_only_ids_and_closed_words_are_written() -> None:
    line = line_of(record(event="E-1", payload="walrus", secret="whsec_x", status=500))
    assert (line["event"], line["status"]) == ("E-1", 500)
    assert "walrus" not in str(line)
    assert "whsec_x" not in str(line)


def test_error_is_told_by_its_kind_and_place_and_not_by_its_words() -> None:
    try:
        raise ValueError("order walrus is bad")
    except ValueError:
        failed = record()
        failed.exc_info = sys.exc_info()
    line = line_of(failed)
    assert line["error"] == "ValueError"
    assert "test_error_is_told" in str(line["where"])
    assert "walrus" not in str(line)


def test_line_break_makes_no_second_line() -> None:
    assert line_of(record('a\n{"level": "forged"}'))["level"] == "info"


@pytest.mark.parametrize("arrives", [True, False])
def test_attempts_are_noted_with_the_ids_that_lead_to_them(*, arrives: bool) -> None:
    owed = Owed(
        delivery_id=uuid7(),
        subscription_id=uuid7(),
        event_id=uuid7(),
        due_at=LONG_AGO,
        attempts=2,
        first_attempt_at=None,
        waited_seconds=0,
        is_replay=False,
        lease=uuid7(),
        leased_until=LONG_AGO,
        order_key=None,
        goes_second=None,
    )
    message = Message(
        event_id=owed.event_id,
        envelope=Envelope(
            id="1", source="/s", type="t", extensions={"traceparent": TRACE}, data_raw=b'"walrus"'
        ),
    )
    answer: Receipt | TransportError = TransportError(
        "walrus", error_class=ErrorClass.HTTP_STATUS, status=500
    )
    if arrives:
        answer = Receipt(status=200, duration_ms=12, response_excerpt="walrus")
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    run_log.logger.addHandler(handler)
    run_log.logger.setLevel(logging.DEBUG)
    try:
        run_log.attempted(message, owed, answer, took=timedelta(milliseconds=12))
    finally:
        run_log.logger.removeHandler(handler)
        run_log.logger.setLevel(logging.NOTSET)
    line = json.loads(out.getvalue())
    assert line["delivery"] == str(owed.delivery_id)
    assert line["subscription"] == str(owed.subscription_id)
    assert line["event"] == str(owed.event_id)
    assert (line["trace"], line["attempt"], line["duration_ms"]) == (TRACE, 3, 12)
    assert line["status"] == (200 if arrives else 500)
    assert line["level"] == ("debug" if arrives else "info")
    assert "walrus" not in out.getvalue()
    assert set(line) <= {"time", "level", "logger", "message", "process", *FIELDS}
