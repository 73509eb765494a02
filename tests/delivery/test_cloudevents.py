"""CloudEvents over HTTP: what comes in by one mode goes out the same by any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery import cloudevents
from delivery.cloudevents import spans

STRUCTURED = {"content-type": "application/cloudevents+json; charset=UTF-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "/shop/eu",
    "type": "com.acme.sales.order.created",
}
BINARY = {f"ce-{name}": str(value) for name, value in EVENT.items()} | {
    "content-type": "application/json"
}


def structured(**changes: object) -> bytes:
    return json.dumps(EVENT | changes).encode()


def only(headers: Mapping[str, str], body: bytes) -> cloudevents.Envelope:
    (envelope,) = cloudevents.from_http(headers, body).envelopes
    return envelope


def faults(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    with pytest.raises(cloudevents.NotACloudEvent) as refusal:
        cloudevents.from_http(headers, body)
    return dict(refusal.value.errors)


def test_structured_mode_reads_every_attribute() -> None:
    body = (
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"order/1",'
        b'"time":"2026-11-22T11:00:00.5+01:00","datacontenttype":"application/vnd.order+json",'
        b'"dataschema":"https://x.example/s","correlationid":"c","hops":3,"urgent":true,'
        b'"unset":null, "data" : { "total" : 10.50 } , "lastone" : "z" }'
    )
    envelope = only(STRUCTURED, body)
    assert envelope == cloudevents.Envelope(
        id="1",
        source="/s",
        type="t",
        subject="order/1",
        time=datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC),
        time_text="2026-11-22T11:00:00.5+01:00",
        datacontenttype="application/vnd.order+json",
        dataschema="https://x.example/s",
        extensions={"correlationid": "c", "hops": 3, "urgent": True, "lastone": "z"},
        data_raw=b'{ "total" : 10.50 }',
        data={"total": 10.5},
    )
    assert envelope.hops == 3
    assert envelope.text("urgent") == "true"
    assert envelope.attributes()["hops"] == "3"


def test_binary_mode_reads_the_same_event() -> None:
    headers = BINARY | {"ce-subject": "Euro%20%E2%82%AC%20%f0%9f%98%80", "ce-hops": "3"}
    envelope = only(headers, b' {"total": 10.50}\n')
    assert envelope.subject == "Euro € 😀"
    assert envelope.extensions == {"hops": 3}
    assert envelope.data_raw == b'{"total": 10.50}'
    assert envelope.datacontenttype == "application/json"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ('"two words"', "two words"),
        (r'"a \"quoted\" word"', 'a "quoted" word'),
        ("100%25", "100%"),
        ("%41bc", "Abc"),
        ("100%", "100%"),
        ("two words", "two words"),
    ],
)
def test_header_values_are_unquoted_once_and_percent_decoded_once(header: str, value: str) -> None:
    assert only(BINARY | {"ce-subject": header}, b"1").subject == value


@pytest.mark.parametrize("header", ["%C0%A0", "%FF", "münchen", "%00", "%C2%85"])
def test_header_values_that_are_no_allowed_text_are_refused(header: str) -> None:
    assert "/subject" in faults(BINARY | {"ce-subject": header}, b"1")


def test_an_event_may_have_no_data_or_a_null() -> None:
    assert only(STRUCTURED, structured()).data_raw is None
    assert only(BINARY, b"").data_raw is None
    assert only(STRUCTURED, structured(data=None)).data_raw == b"null"
    assert only(BINARY, b"null").data_raw == b"null"


FAULTS: list[tuple[dict[str, object], str, str]] = [
    ({"specversion": "0.3"}, "/specversion", "must be 1.0"),
    ({"specversion": 1.0}, "/specversion", "must be a text"),
    ({"id": ""}, "/id", "empty"),
    ({"id": None}, "/id", "Every CloudEvent has"),
    ({"id": 7}, "/id", "must be a text"),
    ({"id": "a\nb"}, "/id", "U+000A"),
    ({"id": "\ufffe"}, "/id", "U+FFFE"),
    ({"id": "é" * 513}, "/id", "longer"),
    ({"source": "two words"}, "/source", "not a URI"),
    ({"source": "/a%zz"}, "/source", "not a URI"),
    ({"subject": ""}, "/subject", "empty"),
    ({"dataschema": "/relative"}, "/dataschema", "absolute"),
    ({"time": "yesterday"}, "/time", "instant"),
    ({"time": "2026-11-22T10:00:00"}, "/time", "instant"),
    ({"time": "2026-02-30T10:00:00Z"}, "/time", "instant"),
    ({"Capital": "x"}, "/Capital", "attribute name"),
    ({"with-dash": "x"}, "/with-dash", "attribute name"),
    ({"a/b": "x"}, "/a~1b", "attribute name"),
    ({"nested": {"a": 1}}, "/nested", "a text, an integer or a boolean"),
    ({"fraction": 1.5}, "/fraction", "a text, an integer or a boolean"),
    ({"wide": 2**31}, "/wide", "32 bits"),
    ({"hops": -1}, "/hops", "count"),
    ({"hops": "many"}, "/hops", "count"),
    ({"hops": True}, "/hops", "count"),
    ({"data_base64": "AA=="}, "/data_base64", "base64"),
]


@pytest.mark.parametrize(("change", "pointer", "words"), FAULTS)
def test_each_broken_rule_is_named(change: dict[str, object], pointer: str, words: str) -> None:
    assert words in faults(STRUCTURED, structured(**change))[pointer]


def test_all_faults_are_named_at_once() -> None:
    assert set(faults(STRUCTURED, b'{"id": "", "Bad": 1, "data": {}}')) == {
        "/specversion", "/id", "/source", "/type", "/Bad",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "body", "pointer", "words"),
    [
        (STRUCTURED, b"[]", "", "JSON object"),
        (STRUCTURED, b"{", "", "not JSON"),
        (STRUCTURED, b'{"data": {"a": 1, "a": 2}}', "/data", "twice"),
        (BINARY, b'{"a": NaN}', "/data/a", "NaN"),
        (BINARY | {"ce-datacontenttype": "application/json"}, b"1", "/datacontenttype", "header"),
        (BINARY | {"ce-data": "x"}, b"1", "/data", "attribute name"),
        (BATCH, b"{}", "", "array"),
        ({"content-type": "application/json"}, b"{}", "", "ce-specversion"),
        ({}, b"{}", "", "ce-specversion"),
    ],
)
def test_a_request_that_is_no_cloudevent_is_told_why(
    headers: Mapping[str, str], body: bytes, pointer: str, words: str
) -> None:
    assert words in faults(headers, body)[pointer]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/plain"}, b"hello"),
        ({"content-type": "application/cloudevents+avro"}, b"x"),
        ({"content-type": "application/cloudevents-batch+avro"}, b"x"),
        ({"content-type": "application/cloudevents+json; charset=iso-8859-1"}, structured()),
        (BINARY | {"content-type": "application/xml"}, b"<a/>"),
        (STRUCTURED, structured(datacontenttype="text/plain", data="hello")),
    ],
)
def test_what_is_not_json_is_an_unsupported_content_type(
    headers: Mapping[str, str], body: bytes
) -> None:
    with pytest.raises(cloudevents.UnsupportedContentType):
        cloudevents.from_http(headers, body)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (STRUCTURED, b" " * (cloudevents.MAX_REQUEST_BYTES + 1)),
        (STRUCTURED, structured(data="x" * cloudevents.MAX_EVENT_BYTES)),
        (BINARY, b'"' + b"x" * cloudevents.MAX_EVENT_BYTES + b'"'),
        (BATCH, b"[" + b"1," * cloudevents.MAX_BATCH_EVENTS + b"1]"),
    ],
)
def test_what_is_over_a_limit_is_too_large(headers: Mapping[str, str], body: bytes) -> None:
    with pytest.raises(cloudevents.TooLarge):
        cloudevents.from_http(headers, body)


def test_each_event_of_a_batch_stands_for_itself() -> None:
    body = json.dumps(
        [EVENT | {"data": {"n": 1}}, EVENT | {"id": ""}, 7, EVENT | {"x": {"data": 0}},
         EVENT | {"data": "x" * cloudevents.MAX_EVENT_BYTES}, EVENT | {"id": "Z", "data": [2]}]
    ).encode()  # fmt: skip
    request = cloudevents.from_http(BATCH, body)
    assert request.mode is cloudevents.Mode.BATCHED
    assert [envelope.data_raw for envelope in request.envelopes] == [b'{"n": 1}', b"[2]"]
    assert [refusal.errors[0][0] for refusal in request.refusals] == ["/1/id", "/2", "/3/x", "/4"]
    assert isinstance(request.refusals[-1], cloudevents.TooLarge)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[" * 65 + b"]" * 65, "64 levels"),
        (json.dumps({f"k{i}": i for i in range(10_001)}).encode(), "10000 keys"),
    ],
)
def test_only_the_event_over_a_limit_is_refused(data: bytes, words: str) -> None:
    good = structured(id="A-2", data=json.loads(b"[" * 64 + b"]" * 64))
    bad = structured()[:-1] + b', "data": ' + data + b"}"
    request = cloudevents.from_http(BATCH, cloudevents.to_batch_bytes([good, bad, good]))
    assert len(request.envelopes) == 2
    (refusal,) = request.refusals
    ((pointer, message),) = refusal.errors
    assert pointer == "/1/data"
    assert words in message
    assert words in faults(STRUCTURED, bad)["/data"]


def test_an_empty_batch_holds_nothing() -> None:
    assert cloudevents.from_http(BATCH, b"[]").items == ()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22t10:00:00.123456789z", datetime(2026, 11, 22, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-11-22T00:30:00+01:00", datetime(2026, 11, 21, 23, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+01:00", None),
        ("2026-11-22 10:00:00Z", None),
        ("2026-11-22T24:00:00Z", None),
    ],
)
def test_times_are_rfc_3339(text: str, instant: datetime | None) -> None:
    assert cloudevents.parse_time(text) == instant


# --- round trips ---

# On a busy machine the first draw of these nested strategies is slow; that is no fault of a test.
patiently = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

allowed_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20
)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    | st.just('"data":'),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["data", "a", "é", "id"]), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip
extension_names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in {"data", "hops", "id", "source", "type", "time", "subject",
                              "specversion", "datacontenttype", "dataschema"}
)  # fmt: skip
extension_values = st.booleans() | st.integers(-(2**31), 2**31 - 1) | allowed_text


@st.composite
def envelopes(draw: st.DrawFn) -> cloudevents.Envelope:
    has_data = draw(st.booleans())
    data = draw(json_data) if has_data else None
    instant = draw(st.none() | st.datetimes(timezones=st.just(UTC)))
    return cloudevents.Envelope(
        id=draw(allowed_text),
        source=draw(st.sampled_from(["/shop", "urn:x:%C3%BC", "https://a.example/b?c=d#e"])),
        type=draw(allowed_text),
        subject=draw(st.none() | allowed_text),
        time=instant,
        time_text=instant.isoformat() if instant else None,
        dataschema=draw(st.none() | st.just("https://portal.example/schemas/1")),
        datacontenttype=draw(st.sampled_from(["application/json", "application/vnd.x+json"])),
        extensions=draw(st.dictionaries(extension_names, extension_values, max_size=3)),
        data_raw=json.dumps(data, ensure_ascii=draw(st.booleans())).encode() if has_data else None,
        data=data,
    )


def as_texts(envelope: cloudevents.Envelope) -> cloudevents.Envelope:
    """Headers carry no types: an extension comes back as its canonical text."""
    return replace(envelope, extensions={n: envelope.text(n) or "" for n in envelope.extensions})


@patiently
@given(envelopes())
def test_binary_round_trip(envelope: cloudevents.Envelope) -> None:
    headers, body = cloudevents.to_binary(envelope)
    assert all(value.isascii() and value.isprintable() for _, value in headers)
    assert only(dict(headers), body) == as_texts(envelope)


@patiently
@given(envelopes())
def test_structured_round_trip_keeps_the_data_byte_for_byte(
    envelope: cloudevents.Envelope,
) -> None:
    assert only(STRUCTURED, cloudevents.to_structured_bytes(envelope)) == envelope


@patiently
@given(st.lists(envelopes(), max_size=4))
def test_batch_round_trip(events: list[cloudevents.Envelope]) -> None:
    body = cloudevents.to_batch_bytes(map(cloudevents.to_structured_bytes, events))
    assert cloudevents.from_http(BATCH, body).items == tuple(events)


@patiently
@given(st.lists(envelopes(), min_size=1, max_size=4))
def test_a_batch_in_any_layout_yields_the_text_of_each_data(
    events: list[cloudevents.Envelope],
) -> None:
    items = orjson.loads(cloudevents.to_batch_bytes(map(cloudevents.to_structured_bytes, events)))
    items = [dict(reversed(list(item.items()))) for item in items]
    texts = spans.data_texts(json.dumps(items, indent=1).encode(), items)
    assert [text and json.loads(text) for text in texts] == [item.get("data") for item in items]


def test_a_key_spelled_with_escapes_is_still_found() -> None:
    body = structured().replace(b'"id"', b'"d\\u0061ta": {"data": 1}, "id"')
    assert only(STRUCTURED, body).data_raw == b'{"data": 1}'


# --- identity ---

SAME = [
    (b'{"a":1,"b":[1.0,2]}', b'{ "b" : [1, 2.0e0], "a" : 1e0 }', True),
    (b'{"a":"\\u00e9"}', '{"a":"é"}'.encode(), True),
    (b"10000000000000000000000", b"1e22", True),
    (b'{"a":-0.0}', b'{"a":0}', True),
    (b"12345678901234567890123", b"12345678901234567890124", False),
    (b'{"a":1}', b'{"a":"1"}', False),
    (b'{"a":1}', b'{"a":true}', False),
    (b"[1,2]", b"[2,1]", False),
    (b"null", b"", False),
]


@pytest.mark.parametrize(("one", "other", "is_same"), SAME)
def test_content_is_equal_when_its_values_are(one: bytes, other: bytes, is_same: bool) -> None:
    first, second = (cloudevents.content_digest(only(BINARY, body)) for body in (one, other))
    assert (first == second) is is_same
    assert len(first) == 16


def test_a_repeat_in_another_trace_and_another_mode_is_the_same_content() -> None:
    one = only(BINARY | {"ce-traceparent": "00-1", "ce-n": "5"}, b'{"a": 1}')
    other = only(STRUCTURED, structured(traceparent="00-2", n=5, data={"a": 1.0}))
    assert cloudevents.content_digest(one) == cloudevents.content_digest(other)


@pytest.mark.parametrize(
    "change", [{"type": "t"}, {"subject": "s"}, {"extensions": {"n": 1}}, {"data": 2}]
)
def test_another_attribute_is_another_content(change: dict[str, object]) -> None:
    envelope = only(BINARY, b"1")
    changed = replace(envelope, **change)  # type: ignore[arg-type]  # the table varies the field
    assert cloudevents.content_digest(changed) != cloudevents.content_digest(envelope)


@patiently
@given(allowed_text, allowed_text, allowed_text)
def test_the_dedup_key_does_not_run_its_parts_together(one: str, two: str, three: str) -> None:
    application = uuid4()
    key = cloudevents.dedup_key(one, application, two, three)
    assert len(key) == 16
    assert key != cloudevents.dedup_key(one, application, two + three, two)
    assert key != cloudevents.dedup_key(one + two, application, three, three)
    assert key != cloudevents.dedup_key(one, uuid4(), two, three)


def test_deprecation_is_announced_with_the_standard_extension() -> None:
    assert cloudevents.deprecation_extensions(
        since=datetime(2026, 1, 1, tzinfo=UTC),
        sunset=datetime(2027, 1, 1, tzinfo=UTC),
        migration_url="https://portal.example/v2",
    ) == {
        "deprecated": True,
        "deprecationfrom": "2026-01-01T00:00:00Z",
        "deprecationsunset": "2027-01-01T00:00:00Z",
        "deprecationmigration": "https://portal.example/v2",
    }
