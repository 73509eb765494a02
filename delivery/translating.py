"""One event's data as another major version of its contract has it. Pure.

A reviewed mapping makes it. What it makes is held against the contract of the version that the
subscriber pinned, except that fields unknown there never stop a delivery.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from catalog.schemas import UNKNOWN_FIELD, Problem, Validator
from delivery import mapping
from delivery.cloudevents import Envelope, ExtensionValue
from delivery.expressions import Expression

TRANSLATED_FROM = "translatedfrom"  # an extension attribute of ours: the version that was published
SHOWN_BREACHES = 3
_DEPRECATION = "deprecat"  # how all attributes of the deprecation extension begin


class TranslationFailed(ValueError):
    """The conversion does not fit this event: show the sentence, mend the conversion, replay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """How events of the version `source` become events of the version `target`.

    `validator` is the target's contract; `dataschema` its address, and `extensions` the attributes
    that tell the receiver what was done.
    """

    source: str
    target: str
    expression: Expression
    validator: Validator = field(repr=False, compare=False)
    dataschema: str = ""
    extensions: Mapping[str, ExtensionValue] = field(default_factory=dict)

    def convert(self, data: object) -> object:
        """Return the data as the target has it; raises `TranslationFailed`."""
        try:
            made = mapping.apply(self.expression, data)
        except mapping.MappingFailed as error:
            raise TranslationFailed(
                f"The conversion from {self.source} to {self.target} does not fit this event. "
                f"{error}"
            ) from None
        breaches = list(islice(self._breaches(made), SHOWN_BREACHES))
        if breaches:
            told = "; ".join(f"{one.pointer} {one.message}".strip() for one in breaches)
            raise TranslationFailed(
                f"What the conversion from {self.source} makes breaks the contract of "
                f"{self.target}: {told}."
            )
        return made

    def envelope(self, envelope: Envelope) -> Envelope:
        """Return the event with converted data; raises `TranslationFailed`."""
        made = self.convert(json.loads(envelope.data_raw or b"null"))
        kept = {
            name: value
            for name, value in envelope.extensions.items()
            if not name.startswith(_DEPRECATION)
        }
        return replace(
            envelope,
            datacontenttype="application/json",
            dataschema=self.dataschema or envelope.dataschema,
            extensions={**kept, **self.extensions},
            data_raw=mapping.written(made),
            data=None,
        )

    def _breaches(self, made: object) -> list[Problem]:
        if self.validator.is_valid(made):
            return []
        found = self.validator.iter_errors(made)
        return [one for one in found if one.message != UNKNOWN_FIELD]
