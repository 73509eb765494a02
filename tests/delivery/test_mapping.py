"""Mappings: what they make, and their ceilings."""

from __future__ import annotations

import pytest

from delivery import mapping

ORDER = {"order": {"id": "4711", "lines": [{"sku": "A", "n": 2}, {"sku": "B", "n": 1}]}}


def test_makes_a_new_document() -> None:
    compiled = mapping.compile("{id: order.id, skus: order.lines[].sku, n: sum(order.lines[].n)}")
    assert mapping.apply(compiled, ORDER) == {"id": "4711", "skus": ["A", "B"], "n": 3}
    assert mapping.apply_to_bytes(compiled, ORDER) == b'{"id":"4711","skus":["A","B"],"n":3}'


def test_keeps_the_digits_of_wide_integers() -> None:
    compiled = mapping.compile("{n: n}")
    assert mapping.apply_to_bytes(compiled, {"n": 10**30}) == b'{"n":1' + b"0" * 30 + b"}"


@pytest.mark.parametrize("text", ["", "{", "{a: nothing(b)}", "x" * 8_001, 7, None])
def test_what_is_no_mapping_is_refused(text: object) -> None:
    with pytest.raises(mapping.InvalidMapping):
        mapping.compile(text)


@pytest.mark.parametrize("text", ["sum(order.lines)", "|".join(["[@, @]"] * 50), "[big, big]"])
def test_a_mapping_that_does_not_fit_or_makes_too_much_says_so(text: str) -> None:
    compiled = mapping.compile(text)
    document = ORDER | {"big": "x" * 200_000}
    with pytest.raises(mapping.MappingFailed):
        mapping.apply(compiled, document)
    with pytest.raises(mapping.MappingFailed):
        mapping.apply_to_bytes(compiled, document)


def test_says_which_fields_it_reads() -> None:
    assert mapping.data_paths("{id: order.id, skus: order.lines[].sku}") == (
        "/order/id",
        "/order/lines/*/sku",
    )
