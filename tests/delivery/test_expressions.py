"""JMESPath with ceilings, and what an expression reads."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery import expressions

DOCUMENT: dict[str, object] = {
    "total": 24.5,
    "currency": "EUR",
    "customer": {"name": "Ada", "email": "ada@example.org", "address": {"city": "Ulm"}},
    "items": [{"sku": "A", "price": 3, "tags": ["x"]}, {"sku": "B", "price": 1, "tags": []}],
    "a/b": {"~": 1},
    "empty": [],
}


def run(text: str, document: object = DOCUMENT) -> object:
    return expressions.evaluate(expressions.compile(text, max_characters=2_000), document)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not empty"),
        ("total >", "cannot be read"),
        ("a..b", "cannot be read"),
        ('`"open`', "cannot be read"),
        ("x" * 2_001, "2000 characters"),
        ("(" * 900 + "a" + ")" * 900, "too deeply"),
        ("|".join("a" * 100), "too deeply"),
        ("!" * 1_900 + "a", "too deeply"),
        ("`" + "[" * 1_500, "cannot be read"),
        ("frobnicate(a)", "no function frobnicate()"),
        ("length(a, b)", "takes 1 argument, not 2"),
        ("join(a)", "takes 2 arguments, not 1"),
        ("&a", "belongs into a function"),
        ("[&a]", "belongs into a function"),
        ("`NaN`", "JSON does not have"),
    ],
)
def test_says_what_is_wrong_with_an_expression(text: str, words: str) -> None:
    with pytest.raises(expressions.InvalidExpression) as error:
        expressions.compile(text, max_characters=2_000)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_evaluates_as_jmespath_does() -> None:
    assert run("items[?price > `2`].sku | [0]") == "A"
    assert run("{n: customer.name, all: items[*].sku}") == {"n": "Ada", "all": ["A", "B"]}
    assert run("sort_by(items, &price)[0].sku") == "B"
    assert run("not_there.at.all") is None
    assert run("currency == `EUR`") is True


@pytest.mark.parametrize("text", ["length(total)", "sort(items)", "abs(currency)", "sum(items)"])
def test_an_expression_that_does_not_fit_the_document_says_so(text: str) -> None:
    with pytest.raises(expressions.EvaluationFailed):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "|".join(["[@, @]"] * 50),
        "|".join(["[@, @][]"] * 50),
        "|".join(["{a: @, b: @}"] * 50),
        "currency | " + "|".join(["join('xxxxxxxx', [@, @])"] * 50),
        "|".join(["to_string([@, @])"] * 50),
        "|".join(["[@, @]"] * 40) + " | @ == @",
        "|".join(["[@, @]"] * 40) + " | to_string(@)",
    ],
)
def test_an_expression_that_doubles_its_result_at_each_step_is_stopped(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(expressions.EvaluationFailed, match=r"too much|deeply|fails"):
        run(text)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("total", ["/total"]),
        ("@", [""]),
        ("`1`", []),
        ("customer.address.city", ["/customer/address/city"]),
        ("total > `10` && currency == 'EUR'", ["/currency", "/total"]),
        ("items[].sku", ["/items/*/sku"]),
        ("items[0].sku", ["/items/*/sku"]),
        ("items[*].tags[]", ["/items/*/tags"]),
        ("items[*].sku | [0]", ["/items/*/sku"]),
        ("items[*].tags[*].name | [0][0]", ["/items/*/tags/*/name"]),
        ("[items[*].sku, items][0]", ["/items"]),
        ("items[?price > `2`].sku", ["/items/*/price", "/items/*/sku"]),
        ("items[1:].sku", ["/items/*/sku"]),
        ("customer.*.city", ["/customer/*/city"]),
        ("{n: customer.name, t: total}", ["/customer/name", "/total"]),
        ("customer | {n: name}.n", ["/customer/name"]),
        ("length(items)", ["/items"]),
        ("sort_by(items, &price)[0].sku", ["/items"]),
        ("customer.name || currency", ["/currency", "/customer/name"]),
        ('"a/b"."~"', ["/a~1b/~0"]),
        ("keys(@)", [""]),
        ("!total", ["/total"]),
    ],
)
def test_names_the_fields_that_an_expression_reads(text: str, paths: list[str]) -> None:
    compiled = expressions.compile(text, max_characters=2_000)
    assert list(expressions.data_paths(compiled)) == paths


# What the paths promise, tried: values elsewhere may change and the result does not.

names = st.sampled_from(["total", "currency", "customer", "items", "name", "price", "sku", "tags"])
steps = st.sampled_from(["[]", "[*]", "[0]", "[1:]", ".*", "[?price > `2`]", "[?tags]", ""])
chains = st.lists(st.tuples(names, steps), min_size=1, max_size=3).map(
    lambda parts: ".".join(name + step for name, step in parts)
)
texts = st.recursive(
    chains,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["||", "&&", "==", "|"]), inner).map(" ".join),
        inner.map("length({})".format),
        inner.map("type({})".format),
        inner.map("{{a: {}, b: total}}".format),
        inner.map("[{}]".format),
        inner.map("!({})".format),
    ),
    max_leaves=4,
)


def masked(value: object, at: tuple[str, ...], reads: list[tuple[str, ...]]) -> object:
    """Return the value with every leaf replaced that no read covers and no read passes."""
    if any(covers(read, at) for read in reads):
        return value
    if isinstance(value, dict):
        return {key: masked(inner, (*at, key), reads) for key, inner in value.items()}
    if isinstance(value, list):
        below = at if at[-1:] == ("*",) else (*at, "*")
        return [masked(inner, below, reads) for inner in value]
    return value if any(passes(read, at) for read in reads) else "masked"


def covers(read: tuple[str, ...], at: tuple[str, ...]) -> bool:
    return len(read) <= len(at) and all(r in ("*", a) for r, a in zip(read, at, strict=False))


def passes(read: tuple[str, ...], at: tuple[str, ...]) -> bool:
    return all(r in ("*", a) for r, a in zip(read, at, strict=False))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
def test_nothing_outside_the_named_fields_changes_the_result(text: str) -> None:
    compiled = expressions.compile(text, max_characters=2_000)
    paths = [tuple(path.split("/")[1:]) for path in expressions.data_paths(compiled)]
    outcomes = []
    for document in (DOCUMENT, masked(DOCUMENT, (), paths)):
        try:
            outcomes.append(repr(expressions.evaluate(compiled, document)))
        except expressions.EvaluationFailed:
            outcomes.append("failed")
    assert outcomes[0] == outcomes[1]
