"""Numbers that binary floating point gets wrong: validators count, not arithmetic."""

from __future__ import annotations

import pytest

from governance.compatibility import Policy, Verdict, check


def test_fractions_that_binary_floats_get_wrong_are_left_to_a_person() -> None:
    # To a validator 0.35 is a multiple of 0.01 and not of 0.001, though it is of both.
    report = check({"multipleOf": 0.01}, {"multipleOf": 0.001}, policy=Policy.STRICT)
    assert report.verdict is Verdict.UNDECIDED
    listed = check({"enum": [0.35]}, {"multipleOf": 0.001}, policy=Policy.STRICT)
    assert listed.verdict is Verdict.UNDECIDED


# Whole numbers that a validator takes for no multiple: 7, 1, and 1e308, which overflows.
@pytest.mark.parametrize(("step", "divisor"), [(7, 0.07), (1, 1e-5), (1, 0.01)])
def test_whole_numbers_that_floats_get_wrong_are_left_to_a_person(
    step: int, divisor: float
) -> None:
    report = check({"multipleOf": step}, {"multipleOf": divisor}, policy=Policy.STRICT)
    assert report.verdict is Verdict.UNDECIDED


def test_a_large_step_may_let_through_what_is_no_multiple() -> None:
    # 1e23 is a little less than its digits say, and to a validator a multiple of 1e22.
    report = check({"multipleOf": 1e22}, {"multipleOf": 10}, policy=Policy.STRICT)
    assert report.verdict is Verdict.UNDECIDED
    same = check({"multipleOf": 1e22}, {"multipleOf": 1e22}, policy=Policy.STRICT)
    assert same.verdict is Verdict.COMPATIBLE


def test_large_numbers_are_what_they_are_to_a_validator() -> None:
    report = check({"maximum": 1e23}, {"maximum": 10**23 - 1}, policy=Policy.STRICT)
    assert report.verdict is Verdict.COMPATIBLE
    assert 1e23 < 10**23 - 1


def test_multiple_that_only_floats_see_is_left_to_a_person() -> None:
    # In binary 1e23 is no multiple of 1e22, but their quotient is rounded to 10.
    writer = {"type": "number", "minimum": 1e23, "maximum": 1e23, "multipleOf": 1e22}
    assert check(writer, {"type": "string"}).verdict is Verdict.UNDECIDED
