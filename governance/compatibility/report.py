"""What a comparison of two schemas found: the verdict, and one finding for each change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Who must be able to read what, in the words of the field."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def is_transitive(self) -> bool:
        """Return whether every version counts, not only the newest."""
        return self.value.endswith("_TRANSITIVE")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Return the directions to decide, backward first; none for ``NONE``."""
        plain = self.value.removesuffix("_TRANSITIVE")
        if plain == "FULL":
            return (Direction.BACKWARD, Direction.FORWARD)
        return () if plain == "NONE" else (Direction(plain.lower()),)


class Policy(StrEnum):
    """Which documents of the writer count.

    ``STRICT``: every document valid under the writer's schema. ``LENIENT``: of those, the
    documents that contain only declared properties (see ``declared``).
    """

    STRICT = "strict"
    LENIENT = "lenient"


class Verdict(StrEnum):
    """What holds for the whole pair of schemas."""

    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"
    UNDECIDED = "undecided"


class Severity(StrEnum):
    """What one change does."""

    BREAKING = "breaking"
    UNDECIDED = "undecided"
    SAFE = "safe"


class Direction(StrEnum):
    """Who is hurt: readers of the new schema (backward), or of the old one (forward)."""

    BACKWARD = "backward"
    FORWARD = "forward"


class Kind(StrEnum):
    """The kinds of change, always named from the old schema to the new one; stable."""

    PROPERTY_ADDED = "property_added"
    PROPERTY_REMOVED = "property_removed"
    REQUIRED_ADDED = "required_added"
    REQUIRED_REMOVED = "required_removed"
    TYPE_NARROWED = "type_narrowed"
    TYPE_WIDENED = "type_widened"
    TYPE_CHANGED = "type_changed"
    ENUM_NARROWED = "enum_narrowed"
    ENUM_WIDENED = "enum_widened"
    ENUM_CHANGED = "enum_changed"
    BOUND_TIGHTENED = "bound_tightened"
    BOUND_LOOSENED = "bound_loosened"
    MULTIPLE_OF_CHANGED = "multiple_of_changed"
    LENGTH_TIGHTENED = "length_tightened"
    LENGTH_LOOSENED = "length_loosened"
    PATTERN_ADDED = "pattern_added"
    PATTERN_REMOVED = "pattern_removed"
    PATTERN_CHANGED = "pattern_changed"
    FORMAT_ADDED = "format_added"
    FORMAT_REMOVED = "format_removed"
    FORMAT_CHANGED = "format_changed"
    ITEM_COUNT_TIGHTENED = "item_count_tightened"
    ITEM_COUNT_LOOSENED = "item_count_loosened"
    ITEMS_CHANGED = "items_changed"
    CONTAINS_CHANGED = "contains_changed"
    UNIQUE_ITEMS_ADDED = "unique_items_added"
    UNIQUE_ITEMS_REMOVED = "unique_items_removed"
    PROPERTY_COUNT_TIGHTENED = "property_count_tightened"
    PROPERTY_COUNT_LOOSENED = "property_count_loosened"
    CONTENT_CLOSED = "content_closed"
    CONTENT_OPENED = "content_opened"
    ADDITIONAL_PROPERTIES_CHANGED = "additional_properties_changed"
    PATTERN_PROPERTIES_CHANGED = "pattern_properties_changed"
    PROPERTY_NAMES_CHANGED = "property_names_changed"
    DEPENDENCIES_CHANGED = "dependencies_changed"
    ALL_OF_CHANGED = "all_of_changed"
    ANY_OF_CHANGED = "any_of_changed"
    ONE_OF_CHANGED = "one_of_changed"
    NOT_CHANGED = "not_changed"
    CONDITION_CHANGED = "condition_changed"
    UNEVALUATED_CHANGED = "unevaluated_changed"
    CONTENT_FORM_CHANGED = "content_form_changed"
    REFERENCE_CHANGED = "reference_changed"
    SCHEMA_CHANGED = "schema_changed"
    MEANING_CHANGED = "meaning_changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One change, with what it breaks.

    ``old_pointer`` and ``new_pointer`` are JSON pointers into the two schemas, ``None`` where
    the thing does not exist. ``witness`` is a document that was accepted before and is refused
    now (the other way round for ``forward``), confirmed by ``jsonschema`` against both schemas;
    it counts only if ``has_witness``, because ``null`` is a document too. ``against`` labels the
    older version when there are several.
    """

    kind: Kind
    severity: Severity
    direction: Direction | None
    old_pointer: str | None
    new_pointer: str | None
    message: str
    witness: object = None
    has_witness: bool = False
    against: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the finding as the API shows it; ``witness`` is there only if there is one."""
        shown: dict[str, object] = {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "direction": self.direction.value if self.direction else None,
            "old_pointer": self.old_pointer,
            "new_pointer": self.new_pointer,
            "message": self.message,
            "against": self.against,
        }
        if self.has_witness:
            shown["witness"] = self.witness
        return shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The verdict and every finding: breaking ones first, then undecided, then safe."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def breaking(self) -> tuple[Finding, ...]:
        """Return the findings that break somebody."""
        return self._of(Severity.BREAKING)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """Return the findings that a person must look at."""
        return self._of(Severity.UNDECIDED)

    @property
    def safe(self) -> tuple[Finding, ...]:
        """Return the changes that break nobody in the directions asked for."""
        return self._of(Severity.SAFE)

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is severity)

    def to_json(self) -> dict[str, object]:
        """Return the report as the API shows it."""
        return {
            "verdict": self.verdict.value,
            "findings": [finding.to_json() for finding in self.findings],
        }
