"""Three sentences about one failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.utils.text import format_lazy

if TYPE_CHECKING:
    # Only the stubs know that a lazy text is text.
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Three sentences about one failure."""

    what: Text
    means: Text
    do: Text

    @property
    def sentence(self) -> Text:
        """What happened and what it means, as one line of a list."""
        return format_lazy("{} {}", self.what, self.means)


def says(what: Text, means: Text, do: Text) -> Diagnosis:
    """Return a diagnosis of these sentences."""
    return Diagnosis(what=what, means=means, do=do)
