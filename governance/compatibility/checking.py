"""Compare two schemas, or a proposal with all live versions, and report the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from governance.compatibility import sentences
from governance.compatibility.algebra import Algebra
from governance.compatibility.breaks import Break, ToProperty
from governance.compatibility.budget import Budget
from governance.compatibility.changes import Change
from governance.compatibility.comparing import Comparison
from governance.compatibility.compiling import Compiler, Elder
from governance.compatibility.confirming import Judge
from governance.compatibility.declared import Places
from governance.compatibility.differing import Differ
from governance.compatibility.documents import Library, Resolve, Schema, escape
from governance.compatibility.outcomes import Answer
from governance.compatibility.report import (
    Direction,
    Finding,
    Kind,
    Mode,
    Policy,
    Report,
    Severity,
    Verdict,
)
from governance.compatibility.spots import Key
from governance.compatibility.twins import Twins
from governance.compatibility.writers import ToItem

# Steps of work, about a microsecond or two each: an exotic pair ends after a second or so.
STEPS_PER_QUESTION = 100_000
STEPS_IN_TOTAL = 250_000
# Examples held against both schemas in one direction; beyond it, a found break stands without one.
MOST_WITNESSES = 40
KINDS: dict[str, Kind] = {
    "type": Kind.TYPE_CHANGED,
    "enum": Kind.ENUM_CHANGED,
    "const": Kind.ENUM_CHANGED,
    "minimum": Kind.BOUND_TIGHTENED,
    "maximum": Kind.BOUND_TIGHTENED,
    "exclusiveMinimum": Kind.BOUND_TIGHTENED,
    "exclusiveMaximum": Kind.BOUND_TIGHTENED,
    "multipleOf": Kind.MULTIPLE_OF_CHANGED,
    "minLength": Kind.LENGTH_TIGHTENED,
    "maxLength": Kind.LENGTH_TIGHTENED,
    "pattern": Kind.PATTERN_CHANGED,
    "format": Kind.FORMAT_CHANGED,
    "minItems": Kind.ITEM_COUNT_TIGHTENED,
    "maxItems": Kind.ITEM_COUNT_TIGHTENED,
    "items": Kind.ITEMS_CHANGED,
    "prefixItems": Kind.ITEMS_CHANGED,
    "additionalItems": Kind.ITEMS_CHANGED,
    "contains": Kind.CONTAINS_CHANGED,
    "uniqueItems": Kind.UNIQUE_ITEMS_ADDED,
    "minProperties": Kind.PROPERTY_COUNT_TIGHTENED,
    "maxProperties": Kind.PROPERTY_COUNT_TIGHTENED,
    "additionalProperties": Kind.ADDITIONAL_PROPERTIES_CHANGED,
    "patternProperties": Kind.PATTERN_PROPERTIES_CHANGED,
    "propertyNames": Kind.PROPERTY_NAMES_CHANGED,
    "dependentRequired": Kind.DEPENDENCIES_CHANGED,
    "dependentSchemas": Kind.DEPENDENCIES_CHANGED,
    "dependencies": Kind.DEPENDENCIES_CHANGED,
    "anyOf": Kind.ANY_OF_CHANGED,
    "oneOf": Kind.ONE_OF_CHANGED,
    "not": Kind.NOT_CHANGED,
    "if": Kind.CONDITION_CHANGED,
    "unevaluatedProperties": Kind.UNEVALUATED_CHANGED,
    "unevaluatedItems": Kind.UNEVALUATED_CHANGED,
    "contentEncoding": Kind.CONTENT_FORM_CHANGED,
    "contentMediaType": Kind.CONTENT_FORM_CHANGED,
    "$ref": Kind.REFERENCE_CHANGED,
    "$dynamicRef": Kind.REFERENCE_CHANGED,
    "$recursiveRef": Kind.REFERENCE_CHANGED,
}


def check(
    old: Schema,
    new: Schema,
    *,
    mode: Mode = Mode.BACKWARD,
    policy: Policy = Policy.LENIENT,
    resolve: Resolve | None = None,
) -> Report:
    """Compare two parsed schemas in the directions of ``mode``.

    ``resolve`` is asked for schemas outside the document by their URI (without fragment) and
    answers ``None`` for what it does not know. The mode ``NONE`` is always compatible; its
    findings still list what changes.
    """
    return _joined([_report(old, new, mode, policy, resolve)])


def check_against(
    olds: Sequence[tuple[str, Schema]],
    new: Schema,
    *,
    mode: Mode,
    policy: Policy,
    resolve: Resolve | None = None,
) -> Report:
    """Compare a proposal with labelled versions, oldest first.

    A transitive mode counts all of them, any other only the last one; without any version
    everything is compatible. Each finding names its version in ``against``.
    """
    chosen = olds if mode.is_transitive else olds[-1:]
    return _joined(
        Report(
            verdict=report.verdict,
            findings=tuple(replace(finding, against=label) for finding in report.findings),
        )
        for label, old in chosen
        for report in (_report(old, new, mode, policy, resolve),)
    )


def _report(
    old: Schema, new: Schema, mode: Mode, policy: Policy, resolve: Resolve | None
) -> Report:
    try:
        return _Pair(old, new, resolve).report(mode, policy)
    except RecursionError:  # nested deeper than anything can be read, or than Python can go
        finding = Finding(
            kind=Kind.SCHEMA_CHANGED,
            severity=Severity.UNDECIDED,
            direction=None,
            old_pointer="",
            new_pointer="",
            message=sentences.TOO_DEEP,
        )
        return Report(verdict=Verdict.UNDECIDED, findings=(finding,))


def _joined(reports: Iterable[Report]) -> Report:
    """Return the worst verdict and all findings, the worst first."""
    several = list(reports)
    verdicts = {report.verdict for report in several}
    worst = next(
        (one for one in (Verdict.INCOMPATIBLE, Verdict.UNDECIDED) if one in verdicts),
        Verdict.COMPATIBLE,
    )
    rank = list(Severity)
    findings = [finding for report in several for finding in report.findings]
    findings.sort(key=lambda finding: rank.index(finding.severity))
    return Report(verdict=worst, findings=tuple(findings))


class _Pair:
    """Two versions, read once for all directions."""

    def __init__(self, old: Schema, new: Schema, resolve: Resolve | None) -> None:
        self.algebra = Algebra()
        old_library, new_library = Library(old, resolve), Library(new, resolve)
        twins = Twins(old_library, new_library)
        self.old = Compiler(self.algebra, old_library)
        self.new = Compiler(self.algebra, new_library, Elder(self.old, twins))
        self._confirmed = 0
        self.old_judge, self.new_judge = Judge(old, resolve), Judge(new, resolve)
        self._places = {
            side: Places(side).at([side.library.document.root]) for side in (self.old, self.new)
        }

    def report(self, mode: Mode, policy: Policy) -> Report:
        """Return the verdict over the directions of a mode."""
        changes = list(Differ(self.old, self.new).changes())
        by_key: dict[Key, Change] = {}
        for change in changes:
            for key in change.keys:
                by_key.setdefault(key, change)
        findings: dict[tuple[Kind, frozenset[Key], Direction], Finding] = {}
        for direction in mode.directions:
            self._confirmed = 0
            for one in self._breaks(direction, policy):
                change = self._change_for(one, by_key, direction)
                finding = self._finding(change, one, direction, policy)
                about = (change.kind, change.keys, direction)
                if about not in findings or findings[about].severity is not Severity.BREAKING:
                    findings[about] = finding
        hurting = {(kind, keys) for kind, keys, _ in findings}
        safe = [
            _finding_of(change, Severity.SAFE)
            for change in changes
            if (change.kind, change.keys) not in hurting
        ]
        return Report(verdict=_verdict(findings.values()), findings=(*findings.values(), *safe))

    def _breaks(self, direction: Direction, policy: Policy) -> Iterator[Break]:
        is_backward = direction is Direction.BACKWARD
        comparison = Comparison(
            writer=self.old if is_backward else self.new,
            reader=self.new if is_backward else self.old,
            algebra=self.algebra,
            policy=policy,
            budget=Budget(per_question=STEPS_PER_QUESTION, in_total=STEPS_IN_TOTAL),
        )
        return comparison.breaks()

    def _change_for(self, one: Break, by_key: dict[Key, Change], direction: Direction) -> Change:
        """Return the change that a break is about; made up where nothing at its place changed."""
        for key in one.keys:
            if key in by_key:
                return by_key[key]
        return _unwritten(one, direction)

    def _finding(self, change: Change, one: Break, direction: Direction, policy: Policy) -> Finding:
        if one.outcome.answer is Answer.BY_CONVENTION:
            return _finding_of(change, Severity.BREAKING, direction)
        if one.outcome.is_found and self._confirmed >= MOST_WITNESSES:
            return _finding_of(change, Severity.BREAKING, direction)
        if one.outcome.is_found and self._shows(one.outcome.value, direction, policy):
            self._confirmed += 1
            return replace(
                _finding_of(change, Severity.BREAKING, direction),
                witness=one.outcome.value,
                has_witness=True,
            )
        return _finding_of(change, Severity.UNDECIDED, direction)

    def _shows(self, document: object, direction: Direction, policy: Policy) -> bool:
        """Return whether a document really shows a break, by the reference validator."""
        sides = [(self.old, self.old_judge), (self.new, self.new_judge)]
        if direction is Direction.FORWARD:
            sides.reverse()
        (writer, accepted_by), (_, refused_by) = sides
        if policy is Policy.LENIENT and not self._places[writer].admits(document):
            return False
        return accepted_by.accepts(document) is True and refused_by.accepts(document) is False


def _finding_of(change: Change, severity: Severity, direction: Direction | None = None) -> Finding:
    return Finding(
        kind=change.kind,
        severity=severity,
        direction=direction,
        old_pointer=change.old_pointer,
        new_pointer=change.new_pointer,
        message=change.message,
    )


def _verdict(findings: Iterable[Finding]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if Severity.BREAKING in severities:
        return Verdict.INCOMPATIBLE
    return Verdict.UNDECIDED if Severity.UNDECIDED in severities else Verdict.COMPATIBLE


NAMING = frozenset(
    (
        Kind.REQUIRED_ADDED,
        Kind.REQUIRED_REMOVED,
        Kind.PROPERTY_ADDED,
        Kind.PROPERTY_REMOVED,
    )
)


def _labels(one: Break) -> list[str]:
    """Return the names of the fields down to a break."""
    labels = []
    for step in one.path:
        if isinstance(step, ToItem):
            labels.append("each entry")
        elif isinstance(step, ToProperty):
            labels.append(next(iter(step.names.exact), "each unlisted field"))
    return labels


def _unwritten(one: Break, direction: Direction) -> Change:
    """Return a change for a break at a place that reads the same in both versions."""
    kind = KINDS.get(one.keyword, Kind.SCHEMA_CHANGED)
    if one.keyword in ("required", "properties"):
        is_added = direction is Direction.BACKWARD
        kind = {
            ("required", True): Kind.REQUIRED_ADDED,
            ("required", False): Kind.REQUIRED_REMOVED,
            ("properties", True): Kind.PROPERTY_ADDED,
            ("properties", False): Kind.PROPERTY_REMOVED,
        }[one.keyword, is_added]
    pointer = one.node.pointer
    if one.keyword:
        pointer += "/" + escape(one.keyword)
    labels = [*_labels(one), one.detail] if kind in NAMING else _labels(one)
    message = sentences.unwritten(labels, one.keyword)
    is_backward = direction is Direction.BACKWARD
    return Change(
        kind=kind,
        message=message,
        old_pointer=None if is_backward else pointer,
        new_pointer=pointer if is_backward else None,
        keys=frozenset(((one.node, one.keyword, one.detail),)),
    )
