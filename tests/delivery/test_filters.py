"""Filters: the dialects of the CloudEvents Subscriptions API, and conditions over data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import filters

# A test machine may be busy: a slow example is no fault.
unhurried = settings(deadline=None)

ATTRIBUTES = {"type": "com.acme.order.created", "subject": "US-1", "source": "/shop"}
DATA = {"total": 120, "customer": {"email": "ada@example.org"}, "note": ""}

# filter | passes
TABLE: list[tuple[object, bool]] = [
    (None, True),
    ({}, True),
    ([], True),
    ({"exact": {"type": "com.acme.order.created"}}, True),
    ({"exact": {"type": "COM.ACME.ORDER.CREATED"}}, False),
    ({"exact": {"type": "com.acme.order.created", "subject": "US-1"}}, True),
    ({"exact": {"type": "com.acme.order.created", "subject": "EU-1"}}, False),
    ({"exact": {"missing": "x"}}, False),
    ({"prefix": {"type": "com.acme."}}, True),
    ({"prefix": {"subject": "EU-"}}, False),
    ({"suffix": {"type": ".created"}}, True),
    ({"suffix": {"type": ".deleted"}}, False),
    ({"not": {"prefix": {"subject": "EU-"}}}, True),
    ({"not": {"exact": {"missing": "x"}}}, True),
    ({"all": [{"prefix": {"subject": "US"}}, {"exact": {"source": "/shop"}}]}, True),
    ({"all": [{"prefix": {"subject": "US"}}, {"exact": {"source": "/web"}}]}, False),
    ({"any": [{"prefix": {"subject": "EU"}}, {"exact": {"source": "/shop"}}]}, True),
    ({"any": [{"prefix": {"subject": "EU"}}, {"exact": {"source": "/web"}}]}, False),
    ([{"prefix": {"subject": "US"}}, {"exact": {"source": "/web"}}], False),
    ({"jmespath": "total > `100`"}, True),
    ({"jmespath": "total > `200`"}, False),
    ({"jmespath": "note"}, False),
    ({"jmespath": "`0`"}, True),
    ({"jmespath": "length(total)"}, False),
    ({"not": {"jmespath": "customer.blocked"}}, True),
]


@pytest.mark.parametrize(("given_filter", "passes"), TABLE)
def test_judges_and_explains_alike(given_filter: object, passes: bool) -> None:
    compiled = filters.compile(given_filter)
    assert compiled.matches(ATTRIBUTES, DATA) is passes
    explanation = compiled.explain(ATTRIBUTES, DATA)
    assert explanation.matched is passes
    assert explanation.sentence.endswith(".")


# filter | where | words
INVALID: list[tuple[object, str, str]] = [
    (7, "", "object with one dialect"),
    ({"exact": {"a": "b"}, "prefix": {"a": "b"}}, "", "one dialect"),
    ({"sql": "a = b"}, "/sql", "no dialect “sql”"),
    ({"exact": {}}, "/exact", "Name the attributes"),
    ({"exact": "x"}, "/exact", "Name the attributes"),
    ({"exact": {"type": ""}}, "/exact/type", "1 to 1024"),
    ({"exact": {"type": 5}}, "/exact/type", "1 to 1024"),
    ({"exact": {"": "x"}}, "/exact/", "name of an attribute"),
    ({"prefix": {"Type": "x"}}, "/prefix/Type", "name of an attribute"),
    ({"all": []}, "/all", "1 to 100"),
    ({"any": {"a": 1}}, "/any", "1 to 100"),
    ({"any": [{"exact": {"a": "b"}}] * 101}, "/any", "1 to 100"),
    ({"all": [{"exact": {"a": "b"}}, {"any": [{"jmespath": "a ="}]}]},
     "/all/1/any/0/jmespath", "read"),
    ({"jmespath": "x" * 2_001}, "/jmespath", "2000 characters"),
    ({"not": []}, "/not", "1 to 100"),
]  # fmt: skip


@pytest.mark.parametrize(("given_filter", "pointer", "words"), INVALID)
def test_names_what_is_wrong_with_a_filter(given_filter: object, pointer: str, words: str) -> None:
    with pytest.raises(filters.InvalidFilter) as error:
        filters.compile(given_filter)
    assert error.value.pointer == pointer
    assert words in error.value.message


def test_a_filter_has_at_most_ten_levels() -> None:
    nested: object = {"exact": {"a": "b"}}
    for _ in range(9):
        nested = {"not": nested}
    filters.compile(nested)
    with pytest.raises(filters.InvalidFilter, match="10 levels"):
        filters.compile({"not": nested})


def test_a_filter_has_at_most_500_conditions() -> None:
    ninety = {"any": [{"exact": {"a": "b"}}] * 90}
    filters.compile({"all": [ninety] * 5})
    with pytest.raises(filters.InvalidFilter, match="500 conditions"):
        filters.compile({"all": [ninety] * 6})


def sentence(given_filter: object) -> str:
    return filters.compile(given_filter).explain(ATTRIBUTES, DATA).sentence


def test_the_explanation_says_what_was_asked_and_what_was_found() -> None:
    assert sentence({"prefix": {"subject": "EU-"}}) == (
        'subject starts with "EU-"? No: it is "US-1".'
    )
    assert sentence({"exact": {"region": "eu"}}) == 'region is "eu"? No: it is not set.'
    assert sentence({"jmespath": "total > `200`"}) == "total > `200`? No: it gives false."
    assert sentence({}) == "There is no filter: every event passes."
    assert sentence({"not": {"suffix": {"subject": "-1"}}}) == (
        'subject ends with "-1"? Yes: it is "US-1", and that leaves it out.'
    )


def test_an_all_explains_what_failed_and_an_any_what_held() -> None:
    yes, no = {"prefix": {"subject": "US"}}, {"exact": {"source": "/web"}}
    assert sentence({"all": [yes, no]}) == 'source is "/web"? No: it is "/shop".'
    assert sentence({"any": [no, yes]}) == 'subject starts with "US"? Yes: it is "US-1".'
    assert "US-1" in sentence({"all": [yes, yes]})


def test_the_explanation_never_shows_values_of_the_data() -> None:
    assert "ada" not in sentence({"jmespath": "customer.email"})
    assert sentence({"jmespath": "customer.email"}).endswith("it gives a text.")


def test_says_what_it_reads() -> None:
    compiled = filters.compile(
        [
            {"exact": {"type": "t", "subject": "s"}},
            {"any": [{"jmespath": "total > `1`"}, {"not": {"jmespath": "customer.vip"}}]},
        ]
    )
    assert compiled.data_paths() == ("/customer/vip", "/total")
    assert compiled.attributes() == ("subject", "type")


values = st.text("abU-S1", min_size=1, max_size=4)
tests = st.sampled_from(["exact", "prefix", "suffix"]).flatmap(
    lambda dialect: st.dictionaries(
        st.sampled_from(["type", "subject", "source"]), values, min_size=1, max_size=2
    ).map(lambda body: {dialect: body})
)
filter_documents = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)
attribute_sets = st.dictionaries(st.sampled_from(["type", "subject", "source"]), values)


@unhurried
@given(filter_documents, attribute_sets)
def test_not_turns_every_verdict_around(document: object, attributes: dict[str, str]) -> None:
    verdict = filters.compile(document).matches(attributes, None)
    assert filters.compile({"not": document}).matches(attributes, None) is not verdict
    assert filters.compile(document).explain(attributes, None).matched is verdict


@unhurried
@given(filter_documents, filter_documents, attribute_sets)
def test_all_and_any_are_and_and_or(one: object, other: object, attributes: dict[str, str]) -> None:
    first, second = (filters.compile(f).matches(attributes, None) for f in (one, other))
    assert filters.compile({"all": [one, other]}).matches(attributes, None) is (first and second)
    assert filters.compile({"any": [one, other]}).matches(attributes, None) is (first or second)
