"""Which number fits a change, and what a proposal is held against."""

from __future__ import annotations

import pytest

from catalog.models import SchemaVersion
from governance import compatibility, versions
from governance.compatibility import Mode

OLD = {"type": "object", "properties": {"a": {"type": "string", "title": "A"}}}
SAME_IN_WORDS = {"type": "object", "properties": {"a": {"type": "string", "title": "The A"}}}
MORE = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
BREAKING = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("existing", "new", "fitting"),
    [
        ([], OLD, "1.0.0"),
        (["1.0.0"], SAME_IN_WORDS, "1.0.1"),
        (["1.0.0"], MORE, "1.1.0"),
        (["1.0.0"], BREAKING, "2.0.0"),
        (["1.9.0", "1.10.0", "0.3.0"], MORE, "1.11.0"),
        (["2.1.0", "3.0.0"], BREAKING, "4.0.0"),
    ],
)
def test_the_verdict_suggests_the_number(
    existing: list[str], new: dict[str, object], fitting: str
) -> None:
    assert versions.suggest(existing, compatibility.check(OLD, new)) == fitting


@pytest.mark.parametrize(
    ("mode", "number", "against"),
    [
        (Mode.BACKWARD, "3.0.0", ["2.1.0"]),
        (Mode.BACKWARD, "1.4.1", ["1.4.0"]),
        (Mode.BACKWARD, "0.9.0", ["1.4.0"]),
        (Mode.FULL_TRANSITIVE, "3.0.0", ["1.4.0", "2.1.0"]),
    ],
)
def test_a_proposal_is_held_against_its_neighbour_or_all(
    mode: Mode, number: str, against: list[str]
) -> None:
    live = [SchemaVersion(version=one) for one in ("1.4.0", "2.1.0")]
    found = versions.compared_with(live, number, mode)
    assert [one.version for one in found] == against


def test_the_changelog_says_what_breaks_first() -> None:
    lines = versions.changelog(compatibility.check(OLD, {**BREAKING, "minProperties": 1}))
    assert lines.splitlines()[0].startswith("Breaking: ")
    assert versions.changelog(compatibility.check(OLD, OLD)) == ""
