"""Nothing that is called compatible has a counterexample; nothing is called otherwise without one.

The reference validator is the judge; random documents and the values that the schemas themselves
mention are the search.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.compatibility import Mode, Policy, Severity, Verdict, check
from governance.compatibility.algebra import Algebra
from governance.compatibility.compiling import Compiler
from governance.compatibility.confirming import Judge
from governance.compatibility.declared import Place, Places
from governance.compatibility.documents import Library
from tests.governance.compatibility import strategies

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
many = settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
some_documents = st.lists(strategies.documents, min_size=30, max_size=30)


def declared_by(schema: dict[str, Any]) -> Place:
    """Return the place that says what a writer declares."""
    library = Library(schema, None)
    return Places(Compiler(Algebra(), library)).at([library.document.root])


def assert_sound(writer: dict[str, Any], reader: dict[str, Any], found: list[Any]) -> None:
    """Assert that no document contradicts the verdict, under both policies."""
    takes, accepts, declared = Judge(writer, None), Judge(reader, None), declared_by(writer)
    for policy in Policy:
        report = check(writer, reader, policy=policy)
        assert bool(report.breaking) is (report.verdict is Verdict.INCOMPATIBLE)
        for finding in report.breaking:
            assert finding.has_witness
            assert takes.accepts(finding.witness) is True
            assert accepts.accepts(finding.witness) is False
            assert policy is Policy.STRICT or declared.admits(finding.witness)
        if report.verdict is not Verdict.COMPATIBLE:
            continue
        for document in found:
            counts = policy is Policy.STRICT or declared.admits(document)
            if counts and takes.accepts(document) is True:
                assert accepts.accepts(document) is not False, (policy, document)


@many
@given(st.data())
def test_changed_schema_is_judged_rightly(data: st.DataObject) -> None:
    old = data.draw(strategies.documents_schemas())
    new = data.draw(strategies.changes(old))
    found = data.draw(some_documents)
    assert_sound(old, new, found)
    assert_sound(new, old, found)


@many
@given(strategies.documents_schemas(), strategies.documents_schemas(), some_documents)
def test_strangers_are_judged_rightly(
    old: dict[str, Any], new: dict[str, Any], found: list[Any]
) -> None:
    assert_sound(old, new, found)


@many
@given(strategies.documents_schemas(), strategies.documents_schemas())
def test_adding_an_alternative_never_breaks(old: dict[str, Any], other: dict[str, Any]) -> None:
    wider = {"anyOf": [old, other], "$defs": old["$defs"]}
    assert check(old, wider, policy=Policy.STRICT).verdict is not Verdict.INCOMPATIBLE


@many
@given(strategies.documents_schemas(), strategies.documents_schemas())
def test_adding_a_condition_never_breaks_old_readers(
    old: dict[str, Any], other: dict[str, Any]
) -> None:
    narrower = {"allOf": [old, other], "$defs": old["$defs"]}
    report = check(old, narrower, mode=Mode.FORWARD, policy=Policy.STRICT)
    assert report.verdict is not Verdict.INCOMPATIBLE


@many
@given(strategies.documents_schemas(), strategies.documents_schemas())
def test_strict_compatibility_implies_lenient(old: dict[str, Any], new: dict[str, Any]) -> None:
    if check(old, new, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE:
        assert check(old, new, policy=Policy.LENIENT).verdict is not Verdict.INCOMPATIBLE


def test_few_pairs_are_left_undecided() -> None:
    """Of common changes none; the strategies above mix keywords as nobody would."""
    undecided = []

    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        old = data.draw(strategies.documents_schemas())
        report = check(old, data.draw(strategies.changes(old)))
        undecided.append(report.verdict is Verdict.UNDECIDED)
        assert (report.verdict is Verdict.UNDECIDED) is (
            bool(report.undecided) and not report.breaking
        )
        assert all(finding.severity in Severity for finding in report.findings)

    collect()
    assert sum(undecided) <= len(undecided) / 20
