"""Which failures are one."""

from __future__ import annotations

from uuid import UUID

import pytest

from delivery import fingerprints

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order A-20103 unknown", "order A-20107 unknown"),
        ("took 212 ms", "took 1.5 ms"),
        ("id 01a20494-8a81-7fe7-9ee6-96adf0e1922d", "id 01a20494-8a82-703c-8c62-7381d280fa45"),
        ("at 2026-11-22T10:00:00Z", "at 2026-11-23 11:30:12.5+01:00"),
        ("Unknown Field", "unknown field"),
    ],
)
def test_what_differs_from_event_to_event_does_not_count(one: str, other: str) -> None:
    assert fingerprints.normalized(one) == fingerprints.normalized(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("unknown field window", 500), ("unknown field slot", 500)),
        (("unknown field window", 500), ("unknown field window", 422)),
    ],
)
def test_another_cause_is_another_failure(one: tuple[str, int], other: tuple[str, int]) -> None:
    prints = [
        fingerprints.fingerprint(ONE, "http_status", status, text) for text, status in (one, other)
    ]
    assert prints[0] != prints[1]


def test_another_subscription_is_another_failure() -> None:
    assert fingerprints.fingerprint(ONE, "dns", None, "x") != fingerprints.fingerprint(
        OTHER, "dns", None, "x"
    )


@pytest.mark.parametrize(
    ("excerpt", "said"),
    [
        ('{"error": "unknown field delivery_window"}', "unknown field delivery_window"),
        ('{"error": {"code": 3, "message": "no such order"}}', "no such order"),
        ('{"errors": [{"detail": "x"}], "title": "Bad"}', "Bad"),
        ("<html><style>a{}</style><h1>Bad gateway</h1></html>", "Bad gateway"),
        ("{not json", "{not json"),
        ("", ""),
    ],
)
def test_the_cause_is_the_sentence_inside_the_answer(excerpt: str, said: str) -> None:
    found = fingerprints.cause("The receiver answered 500.", excerpt)
    assert found == f"The receiver answered 500. {said}".strip()


def test_a_long_answer_is_cut() -> None:
    assert len(fingerprints.cause("x" * 1_000)) == fingerprints.MAX_CAUSE_CHARACTERS
