"""A runbook's Markdown as steps with buttons.

A heading starts a step; a link to `do:` and a verb, such as `[Send a test](do:test)`, is a button
of its step, and its words stay in the sentence. Everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_BUTTON = re.compile(r"\[([^\]\n]{1,60})\]\(do:([^)\s]*)\)")
MOST_STEPS = 20


class Deed(StrEnum):
    """What a button of a step does, with the failure that the runbook is read on."""

    TEST = "test"  # send a test event to the endpoint
    VALIDATE = "validate"  # hold the data against the contract
    EDIT = "edit"  # change address, mapping, filter, pace
    ROTATE = "rotate-secret"
    PROBE = "probe"  # try a circuit that is open now
    PAUSE = "pause"
    RESUME = "resume"
    REPLAY = "replay"
    CORRECT = "correct"  # mend the data and publish it anew


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """One button: its words, and what it does."""

    label: str
    deed: Deed


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: its title (empty for what stands before every heading), Markdown, and buttons."""

    title: str
    text: str
    buttons: tuple[Button, ...] = ()


def steps(text: str) -> list[Step]:
    """Return the steps in order; a button that does nothing known stays text without a link."""
    return [
        Step(title=title, text=_BUTTON.sub(r"**\1**", part).strip(), buttons=tuple(_buttons(part)))
        for title, part in _parts(text)
        if title or part.strip()
    ]


def unknown_deeds(text: str) -> list[str]:
    """Return the verbs behind `do:` that no button has, in the order they stand."""
    return [verb for _label, verb in _BUTTON.findall(text) if verb not in list(Deed)]


def _buttons(part: str) -> Iterator[Button]:
    for label, verb in _BUTTON.findall(part):
        if verb in list(Deed):
            yield Button(label=label, deed=Deed(verb))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield (heading, text); `#` in code is none."""
    text = text.replace("\r\n", "\n")
    hidden = _FENCED.sub(lambda found: "." * len(found[0]), text)
    starts = list(_HEADING.finditer(hidden))
    ends = [found.start() for found in starts] + [len(text)]
    yield "", text[: ends[0]]
    for found, end in zip(starts, ends[1:], strict=True):
        yield text[found.start(1) : found.end(1)], text[found.end() : end]
