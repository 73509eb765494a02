"""What a receiver may answer to a batch, as a table."""

from __future__ import annotations

import json

import pytest

from delivery import batch_answers
from delivery.batch_answers import Name, Unreadable
from delivery.transports import ErrorClass, Receipt

NAMES = [Name(source="/a", id="1"), Name(source="/b", id="1"), Name(source="/a", id="2")]


def receipt(body: object) -> Receipt:
    text = body if isinstance(body, str) else json.dumps(body)
    return Receipt(status=200, duration_ms=5, response_excerpt=text)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "ok",
        "<html>",
        "[1, 2",
        {"status": "ok"},
        {"refused": []},
        ["refused"],
        {"result": {"refused": [{"index": 0}]}},
    ],
)
def test_an_answer_that_refuses_nothing_takes_all(body: object) -> None:
    assert batch_answers.read(receipt(body), NAMES) == {}


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"index": 1}, 1),
        ({"id": "2"}, 2),
        ({"id": "1", "source": "/b"}, 1),
        ({"index": 0, "id": "2"}, 0),
    ],
)
def test_an_event_is_named_by_place_or_id(entry: dict[str, object], place: int) -> None:
    found = batch_answers.read(receipt({"refused": [entry]}), NAMES)
    assert list(found) == [place]
    assert not found[place].permanent
    assert found[place].error_class is ErrorClass.PARTIAL


def test_a_refusal_tells_why_and_whether_to_try_again() -> None:
    entry = {"index": 2, "reason": " unknown order ", "retry": False}
    found = batch_answers.read(receipt({"refused": [entry]}), NAMES)[2]
    assert found.permanent
    assert found.response_excerpt == "unknown order"
    assert found.status == 200


@pytest.mark.parametrize(
    "body",
    [
        '{"refused": [{"index": 0}, {"in',
        {"refused": {"index": 0}},
        {"refused": [0]},
        {"refused": [{"index": 3}]},
        {"refused": [{"index": -1}]},
        {"refused": [{"index": True}]},
        {"refused": [{"index": "0"}]},
        {"refused": [{"id": "1"}]},
        {"refused": [{"id": "9"}]},
        {"refused": [{"id": ["1"]}]},
        {"refused": [{}]},
    ],
)
def test_a_refusal_that_nobody_can_read_is_none(body: object) -> None:
    with pytest.raises(Unreadable):
        batch_answers.read(receipt(body), NAMES)
