"""Patterns: containment of what they match, and strings that only one of them matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.compatibility import Policy, Verdict, check
from governance.compatibility.automata import Wanted, find
from governance.compatibility.budget import Budget, OutOfBudgetError
from governance.compatibility.patterns import UnsupportedPatternError, parse

# (writer's pattern, reader's pattern, contained)
PAIRS = [
    ("^[a-z]+$", "^[a-z]+$", True),
    ("^[a-z]+$", "^[a-zA-Z]+$", True),
    ("^[a-zA-Z]+$", "^[a-z]+$", False),
    ("^ab?c$", "^a", True),
    ("^a", "^ab?c$", False),
    ("^[A-Z]{3}-\\d{4,8}$", "^[A-Z]{2,4}-\\d+$", True),
    ("^[A-Z]{2,4}-\\d+$", "^[A-Z]{3}-\\d{4,8}$", False),
    ("^(red|green)$", "^(green|red|blue)$", True),
    ("^(?:a|b)*c$", "^[ab]*c$", True),
    ("foo", "o{2}", True),
    ("^\\S+@\\S+$", "@", True),
    ("^$", "^a*$", True),
    ("^a|b$", "a|b", True),
    ("\\w", "[A-Za-z0-9_]", None),  # Python counts letters beyond ASCII, ECMA-262 does not
    ("^[0-9]{5}$", "^[0-9]+$", True),
    ("^(?=a)a", "^a", None),  # look-ahead is not read
    ("^(a)\\1$", "^aa$", None),  # nor are references back
]


@pytest.mark.parametrize(("writer", "reader", "contained"), PAIRS)
def test_patterns_are_compared_by_what_they_match(
    writer: str, reader: str, contained: bool | None
) -> None:
    old = {"type": "string", "pattern": writer}
    new = {"type": "string", "pattern": reader}
    verdicts = {
        True: Verdict.COMPATIBLE,
        False: Verdict.INCOMPATIBLE,
        None: Verdict.UNDECIDED,
    }
    assert check(old, new, policy=Policy.STRICT).verdict is verdicts[contained]


def test_pattern_found_in_every_text_counts_as_what_it_means() -> None:
    # Without anchors [a-z]* is found in every text, in the empty part of it: no validator refuses
    # anything. Still a reviewer must see that lower case became upper case.
    lower, upper = ({"type": "string", "pattern": pattern} for pattern in ("[a-z]*", "[A-Z]*"))
    for old, new in ((lower, upper), ({"type": "string"}, upper)):
        report = check(old, new, policy=Policy.STRICT)
        assert report.verdict is Verdict.INCOMPATIBLE
        assert not report.breaking[0].has_witness
    for old, new in (
        (lower, {"type": "string"}),
        (lower, {"type": "string", "pattern": "[a-z0-9]*"}),
        ({"type": "string"}, {"type": "string", "pattern": ".*"}),
    ):
        assert check(old, new, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE
    assert check({"enum": ["A", "B"]}, upper, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE


def test_same_pattern_needs_no_reading() -> None:
    exotic = {"type": "string", "pattern": "^(?=.*[a-z])(?=.*\\d).{8,}$"}
    looser = {"type": ["string", "null"], "pattern": "^(?=.*[a-z])(?=.*\\d).{8,}$"}
    assert check(exotic, looser, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE


def test_string_that_only_python_accepts_is_left_to_a_person() -> None:
    # Python's $ also matches before a last line feed, so "12345\n" has six characters.
    old = {"type": "string", "pattern": "^[0-9]{5}$"}
    new = {"type": "string", "maxLength": 5}
    assert check(old, new, policy=Policy.STRICT).verdict is Verdict.UNDECIDED


def test_pattern_and_lengths_are_weighed_together() -> None:
    old = {"type": "string", "pattern": "^[a-z]*$", "maxLength": 4}
    (finding,) = check(old, {**old, "maxLength": 3}, policy=Policy.STRICT).breaking
    assert finding.witness == "aaaa"


CHARS = st.sampled_from("ab1-")
PIECES = st.recursive(
    st.one_of(CHARS, st.sampled_from(["[ab]", "[^a]", "\\d", ".", "(a|b1)"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join).map("({})".format),
    ),
    max_leaves=5,
)
PATTERNS = st.tuples(st.sampled_from(["^", ""]), PIECES, st.sampled_from(["$", ""])).map("".join)
TEXTS = st.lists(st.text("ab1-x", max_size=5), min_size=20, max_size=20)


@settings(max_examples=100, deadline=None)
@given(PATTERNS, PATTERNS, TEXTS)
def test_found_string_fits_and_none_found_means_none(
    accepted: str, refused: str, texts: list[str]
) -> None:
    wanted = Wanted(accepted=(accepted,), refused=(refused,))
    budget = Budget(per_question=20_000, in_total=20_000)
    try:
        found = find(wanted, budget, python=True)
    except (UnsupportedPatternError, OutOfBudgetError):
        return
    if found is None:
        assert not any(re.search(accepted, text) and not re.search(refused, text) for text in texts)
    else:
        assert re.search(accepted, found)
        assert not re.search(refused, found)


@pytest.mark.parametrize(
    "pattern", ["(?<=a)b", "\\bword\\b", "a++", "(?i)a", "[]a]", "\\p{L}", "("]
)
def test_what_is_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPatternError):
        parse(pattern)
