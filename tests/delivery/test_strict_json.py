"""Strict JSON: one meaning or none, and the quick road agrees with the reference road."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import strict_json

# A test machine may be busy: a slow example is no fault.
unhurried = settings(deadline=None)

# text | place | a word of the sentence
REFUSED: list[tuple[bytes, str, str]] = [
    (b"", "", "not JSON"),
    (b"{", "", "not JSON"),
    (b"[1,]", "", "not JSON"),
    (b"01", "", "not JSON"),
    (b"1 2", "", "not JSON"),
    (b"\xef\xbb\xbf{}", "", "not JSON"),
    (b"\xff", "", "not UTF-8"),
    (b'"\xed\xa0\x80"', "", "not UTF-8"),
    ("{}".encode("utf-16"), "", "not UTF-8"),
    (b'{"a": 1, "a": 1}', "", "twice"),
    (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "/a/0", "twice"),
    (b'{"a": {"x": 1}, "\\u0061": {}}', "", "twice"),
    (b'{"a": ":", "a": ""}', "", "twice"),
    (b'{"a\\u003a": 1, "b": {"c": 1, "c": 2}}', "/b", "twice"),
    (b'{"a": NaN}', "/a", "NaN"),
    (b"[-Infinity]", "/0", "-Infinity"),
    (b'{"a/b": [1e400]}', "/a~1b/0", "too large"),
    (b'["\\u0000"]', "/0", "NUL"),
    (b'{"a": {"b\\u0000": 1}}', "/a", "NUL"),
    (b'{"a": "\\ud800"}', "/a", "surrogate"),
    (b'["\\udc00\\ud800"]', "/0", "surrogate"),
    (b"[" * 65 + b"]" * 65, "", "64 levels"),
    (b"[" * 100_000 + b"]" * 100_000, "", "64 levels"),
    (b"[" * 2_000, "", "64 levels"),
    (b"9" * 5_000, "", "too many digits"),
    (json.dumps({str(n): n for n in range(10_001)}).encode(), "", "10000 keys"),
]


@pytest.mark.parametrize(("raw", "pointer", "words"), REFUSED)
def test_refuses_what_could_be_read_in_two_ways(raw: bytes, pointer: str, words: str) -> None:
    with pytest.raises(strict_json.Refused) as refusal:
        strict_json.parse(raw)
    assert refusal.value.pointer == pointer
    assert words in refusal.value.message


ACCEPTED: list[tuple[bytes, object]] = [
    (b"null", None),
    (b' {"a" : [true, false]} \n', {"a": [True, False]}),
    (b"12345678901234567890123", 12345678901234567890123),
    (b"-9223372036854775809", -9223372036854775809),
    (b'["2026-11-22T10:00:00.1234567890123456789Z"]', ["2026-11-22T10:00:00.1234567890123456789Z"]),
    (b'"\\\\u0000"', "\\u0000"),
    (b'{"\\u003a": "\\u003A:"}', {":": "::"}),
    (b'"\\ud83d\\ude00"', "😀"),
    (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    (b"[" + b"{}," * 99 + b"{}]", [{}] * 100),
    (b'"' + b"[" * 100 + b'"', "[" * 100),
    (
        json.dumps({str(n): ":" for n in range(10_000)}).encode(),
        {str(n): ":" for n in range(10_000)},
    ),
    (b"1E2", 100.0),
    (b"0.1e-400", 0.0),
]


@pytest.mark.parametrize(("raw", "value"), ACCEPTED)
def test_accepts_everything_else(raw: bytes, value: object) -> None:
    assert strict_json.parse(raw) == value


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Colons, brackets, escapes and long digit runs are what the quick road counts.
    | st.text(alphabet='a:[{"\\0é\u2028😀/~9', max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet="ab:\\é", max_size=3), inner, max_size=4)
    ),
    max_leaves=25,
)


@unhurried
@given(json_values, st.booleans())
def test_agrees_with_the_standard_library_on_every_value(value: object, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert json.dumps(strict_json.parse(raw)) == json.dumps(json.loads(raw))


pieces = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"a":1', '"\\u0061":2', '"\\u0000"', '"\\ud800"',
     "1", "-0.0", "1e999", "12345678901234567890", "NaN", "true", " ", '"x:y"', '"\\u003a"'],
)  # fmt: skip


@unhurried
@given(st.lists(pieces, max_size=12).map("".join), st.integers(1, 4), st.integers(0, 5))
def test_the_quick_road_never_differs_from_the_reference(
    text: str, max_depth: int, max_keys: int
) -> None:
    def outcome(parse: object) -> tuple[str, str]:
        assert callable(parse)
        try:
            return "value", repr(parse(text.encode(), max_depth=max_depth, max_keys=max_keys))
        except strict_json.Refused as refused:
            return refused.message, refused.pointer

    assert outcome(strict_json.parse) == outcome(strict_json.parse_by_reference)


@pytest.mark.parametrize("levels", [64, 253, 254, 255, 2_000])
def test_what_can_be_written_is_as_deep_as_it_says(levels: int) -> None:
    raw = b'{"a":[1,{}],"b":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
    if levels <= strict_json.WRITABLE_DEPTH:
        strict_json.parse(raw, max_depth=strict_json.WRITABLE_DEPTH)
    else:
        with pytest.raises(strict_json.Refused, match="254 levels"):
            strict_json.parse(raw, max_depth=strict_json.WRITABLE_DEPTH)


@unhurried
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a:", "\\u0061"]), json_values), max_size=4))
def test_two_equal_keys_never_pass(pairs: list[tuple[str, object]]) -> None:
    raw = "{" + ",".join(f'"{key}":{json.dumps(value)}' for key, value in pairs) + "}"
    names = ["a" if key == "\\u0061" else key for key, _ in pairs]
    if len(set(names)) == len(names):
        strict_json.parse(raw.encode())
    else:
        with pytest.raises(strict_json.Refused, match="twice"):
            strict_json.parse(raw.encode())
