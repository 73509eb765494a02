"""The demo's runbooks: what experienced support staff would have written for each failure.

They stand in `runbooks.md`: a heading `# kind status: Title`, then the text; a line `(prove)`
stands for the steps that nearly all of them end with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from delivery.runbooks import Content

_HEADING = re.compile(r"^# (?P<kind>[a-z_]+)(?: (?P<status>\d+))?: (?P<title>.+)$", re.MULTILINE)
_PROVE = """## Prove that it arrives

Try it: [Send a test](do:test) If the test arrives, replay what is dead: [Replay](do:replay)

An open circuit closes by itself with its next probe; to ask at once: [Probe now](do:probe)
"""


def pages() -> Iterator[Content]:
    """Yield the runbooks in the order of the file."""
    text = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    found = list(_HEADING.finditer(text))
    ends = [one.start() for one in found[1:]] + [len(text)]
    for one, end in zip(found, ends, strict=True):
        yield Content(
            title=one["title"],
            text=text[one.end() : end].replace("(prove)", _PROVE).strip(),
            error_class=one["kind"],
            status_code=int(one["status"]) if one["status"] else None,
        )
