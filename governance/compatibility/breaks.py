"""What the reader asks and the writer does not keep to, and the way from the root to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from governance.compatibility import formulas as f
from governance.compatibility.documents import Located
from governance.compatibility.formulas import Names
from governance.compatibility.outcomes import Outcome
from governance.compatibility.spots import Key
from governance.compatibility.writers import ToItem


@dataclass(frozen=True, slots=True)
class ToProperty:
    """A step into a property with one of these names."""

    names: Names


@dataclass(frozen=True, slots=True)
class Given:
    """No step: the value at hand is known to fit a formula, because of a keyword around it."""

    formula: f.Formula
    because_of: Key


Path: TypeAlias = tuple[ToProperty | ToItem | Given, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """Something that the reader asks at a node and the writer does not keep to.

    ``outcome`` holds a document that shows it, or is unknown.
    """

    node: Located
    keyword: str
    detail: str
    path: Path
    outcome: Outcome

    @property
    def keys(self) -> Iterator[Key]:
        """Yield what the break is about, the narrowest first: the thing, then those around it."""
        yield (self.node, self.keyword, self.detail)
        for step in reversed(self.path):
            if isinstance(step, Given):
                yield step.because_of
