"""Which headers an endpoint may add."""

from __future__ import annotations

import pytest

from delivery.transports import headers


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Api-Key", "secret 1"), ("Authorization", "Basic YQ=="), ("User-Agent", "Flow")],
)
def test_an_ordinary_header_may_be_added(name: str, value: str) -> None:
    assert headers.fault(name, value) is None
    assert headers.is_sendable(name)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("", "x", "not the name"),
        ("two words", "x", "not the name"),
        ("x:y", "x", "not the name"),
        ("é", "x", "not the name"),
        ("Host", "x", "set by Signalbox"),
        ("Content-Length", "5", "set by Signalbox"),
        ("Transfer-Encoding", "chunked", "set by Signalbox"),
        ("Webhook-Id", "x", "set by Signalbox"),
        ("ce-id", "x", "set by Signalbox"),
        ("Content-Type", "text/plain", "set by Signalbox"),
        ("x", "a\r\nb: c", "line break"),
        ("x", " a", "white space"),
        ("x", "a" * 4_097, "longer"),
    ],
)
def test_any_other_is_told_why_not(name: str, value: str, word: str) -> None:
    assert word in (headers.fault(name, value) or "")
