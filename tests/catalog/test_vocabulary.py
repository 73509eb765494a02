"""Each state has one word, an icon that exists, and a tone that the stylesheet knows."""

from __future__ import annotations

import heroicons
import pytest

from catalog import vocabulary
from catalog.words import ReleaseState

EVERY_MARK = [
    pytest.param(thing, state, id=f"{thing}-{state}")
    for thing, states in vocabulary.MARKS.items()
    for state in states
]


@pytest.mark.parametrize(("thing", "state"), EVERY_MARK)
def test_mark_has_word_known_icon_and_tone(thing: str, state: str) -> None:
    mark = vocabulary.mark(thing, state)
    assert str(mark.word)
    assert heroicons._load_icon("micro", mark.icon) is not None
    assert mark.tone in vocabulary.TONE_ICONS


def test_stored_states_of_a_version_are_known() -> None:
    assert set(ReleaseState.values) <= set(vocabulary.MARKS["release"])
    assert vocabulary.mark("release", ReleaseState.LIVE).tone == "good"


def test_word_can_be_replaced_or_followed_by_a_detail() -> None:
    assert vocabulary.mark("grant", "ending", word="6 days left").word == "6 days left"
    ending = vocabulary.mark("release", "deprecated", detail="ends 15 Jan 2027")
    assert ending.word == "Deprecated, ends 15 Jan 2027"


def test_unknown_state_is_refused_by_name() -> None:
    with pytest.raises(vocabulary.UnknownState, match="'delivery' has no state 'lost'"):
        vocabulary.mark("delivery", "lost")
