"""The editor of contracts: fields in plain words, JSON beside them, and nothing lost between."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings

from catalog import schemas
from catalog.models import EventType, Topic
from catalog.schemas import Row, RowKind, arranging
from governance import roles, row_forms
from governance.models import ChangeRequest
from governance.pages import contract_editor
from governance.states import ChangeState
from tests import factories
from tests.catalog.test_schemas import ORDER, _schemas
from tests.visitors import Answer, signed_in, text_of

NEW = reverse("governance:change-request-new")
HTMX = {"HX-Request": "true"}


class Controls(HTMLParser):
    """What a browser would send of a page's forms, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given_ = dict(attrs)
        name = given_.get("name") or ""
        if tag == "input" and name:
            kind = given_.get("type", "text")
            if kind != "checkbox" or "checked" in given_:
                self.values[name] = given_.get("value") or ("on" if kind == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""
        elif tag == "option" and (self._select not in self.values or "selected" in given_):
            self.values[self._select] = given_.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            # A browser drops the first line break of a text area, and sends the others as CRLF.
            text = self.values[self._area].removeprefix("\n")
            self.values[self._area] = text.replace("\n", "\r\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data


def sent(answer: Answer) -> dict[str, str]:
    """Return what a browser would post of the page as it stands."""
    reader = Controls()
    reader.feed(text_of(answer))
    return reader.values


def posted_rows(document: str) -> dict[str, str]:
    """Return what the rows of a document post when nobody touches them."""
    found = contract_editor.opened(document)
    values = {"view": "fields", "document": document, "rows-count": str(len(found.rows))}
    for shown in found.shown:
        for bound in shown.form:
            value = bound.value()
            if value is True or value not in (False, None):
                values[bound.html_name] = "on" if value is True else str(value)
    return values


@given(schema=_schemas())
@settings(max_examples=150, deadline=None)
def test_what_nobody_touched_stays_to_the_letter(schema: Any) -> None:
    document = json.dumps(schema, ensure_ascii=False, indent=1)
    if contract_editor.opened(document).is_as_fields:
        assert contract_editor.typed(posted_rows(document)).document == document


def test_values_that_text_cannot_show_stay() -> None:
    odd = {
        "properties": {
            "a": {"type": "string", "enum": ["1", "x, y", None, "two\nlines"], "examples": [""]},
            "b": {"type": "integer", "enum": [1, True, 2.0], "title": " spaced "},
            "c": {"description": "First.\n\nSecond.", "const": 1, "x-sensitive": "of the house"},
            "d": True,
            "e": {"type": "string", "x-searchable": False},
            "f": {"type": "string", "x-searchable": "yes"},
            "g": {"type": "string", "x-searchable": True},
        }
    }
    document = json.dumps(odd)
    assert contract_editor.typed(posted_rows(document)).document == document


def changed(document: Any, at: str, **typed: str) -> dict[str, Any]:
    """Return the document after someone typed into the row of that name."""
    text = json.dumps(document)
    values = posted_rows(text)
    place = [row.name for row in schemas.to_rows(text)].index(at)
    values |= {f"rows-{place}-{name}": value for name, value in typed.items()}
    found: dict[str, Any] = json.loads(contract_editor.typed(values).document)
    return found


def test_typed_words_become_values_of_the_fields_kind() -> None:
    after = changed(ORDER, "quantity", allowed="1\r\n2", example="2", meaning=" Pieces. ")
    quantity = after["properties"]["lines"]["items"]["properties"]["quantity"]
    assert quantity["enum"] == [1, 2]
    assert quantity["examples"] == [2]
    assert quantity["description"] == "Pieces."


def test_one_more_allowed_value_leaves_the_others_as_they_were() -> None:
    document = {"properties": {"a": {"type": "string", "enum": ["x", None]}}}
    after = changed(document, "a", allowed="x\r\nnull\r\ny")
    assert after["properties"]["a"]["enum"] == ["x", None, "y"]


def test_mark_for_the_search_is_set_and_taken_back() -> None:
    document = {"properties": {"a": {"type": "string"}}}
    marked = changed(document, "a", is_searchable="on")
    assert marked["properties"]["a"] == {"type": "string", "x-searchable": True}
    values = posted_rows(json.dumps(marked))
    del values["rows-0-is_searchable"]
    assert json.loads(contract_editor.typed(values).document) == document


@pytest.mark.parametrize("text", ["NaN", "1e999", "[1", "Infinity"])
def test_example_that_is_no_json_number_stays_text(text: str) -> None:
    after = changed(ORDER, "quantity", example=text)
    inside = after["properties"]["lines"]["items"]["properties"]["quantity"]
    assert inside["examples"] == [text]
    assert not schemas.problems(json.dumps(after))


def row(key: str, parent: str = "", kind: RowKind = RowKind.TEXT) -> Row:
    return Row(key=key, name=key, parent=parent, kind=kind)


TREE = [row("a"), row("b", kind=RowKind.OBJECT), row("b1", "b"), row("b2", "b"), row("c")]


@pytest.mark.parametrize(
    ("key", "by", "order"),
    [
        ("c", -1, "a c b b1 b2"),
        ("b", -1, "b b1 b2 a c"),
        ("a", -1, "a b b1 b2 c"),
        ("b", 1, "a c b b1 b2"),
        ("b2", -1, "a b b2 b1 c"),
        ("c", 1, "a b b1 b2 c"),
        ("gone", 1, "a b b1 b2 c"),
    ],
)
def test_row_moves_among_its_neighbours_with_what_it_holds(key: str, by: int, order: str) -> None:
    assert " ".join(one.key for one in arranging.moved(TREE, key, by=by)) == order


def test_row_goes_with_what_it_holds_and_comes_last_in_its_place() -> None:
    assert [one.key for one in arranging.without_row(TREE, "b")] == ["a", "c"]
    with_one = arranging.with_row(TREE, row("b3", "b"))
    assert [one.key for one in with_one] == ["a", "b", "b1", "b2", "b3", "c"]


# The page


@pytest.fixture
def page(event_type: EventType) -> str:
    return f"{NEW}?event_type={event_type.name}"


def names(answer: Any) -> list[str]:
    return [one.name for one in answer.context["editor"].rows]


@pytest.mark.django_db
def test_field_is_added_named_and_proposed_without_scripts(alice: Client, page: str) -> None:
    values = sent(alice.get(page))
    answer = alice.post(page, {**values, "do": "add"})
    assert names(answer) == ["order_id", "amount", "email", ""]
    values = sent(answer) | {
        "rows-3-name": "gift_note",
        "rows-3-meaning": "What stands on the card.",
        "reason": "Gifts need a note.",
        "do": "open",
    }
    answer = alice.post(page, values)
    assert answer.status_code == 302, answer.context["form"].errors
    change = ChangeRequest.objects.get()
    document = json.loads(json.loads(change.proposal)["document"])
    assert document["properties"]["gift_note"] == {
        "type": "string",
        "description": "What stands on the card.",
    }
    assert change.state == ChangeState.OPEN
    assert json.loads(change.proposal)["version"] == "1.1.0"


@pytest.mark.django_db
def test_row_shows_at_once_what_its_kind_asks_for(alice: Client, page: str) -> None:
    answer = alice.post(page, {**sent(alice.get(page)), "do": "add"})
    assert "Entries hold" not in text_of(answer)
    assert "Add inside" not in text_of(answer)
    chosen = {**sent(answer), "rows-3-name": "parts", "do": "shape"}
    answer = alice.post(page, {**chosen, "rows-3-kind": "list"}, headers=HTMX)
    assert sent(answer)["rows-3-entry"] == RowKind.TEXT
    answer = alice.post(page, {**chosen, "rows-3-kind": "object"}, headers=HTMX)
    assert "Add inside" in text_of(answer)


@pytest.mark.django_db
def test_search_for_what_says_something_of_a_person_is_advised_against(
    alice: Client, page: str
) -> None:
    values = sent(alice.get(page))
    marks = {"rows-0-is_searchable": "on", "do": "check"}
    assert "so it is never searched for" not in text_of(alice.post(page, {**values, **marks}))
    marks["rows-0-sensitive"] = "contact"
    assert "so it is never searched for" in text_of(alice.post(page, {**values, **marks}))


@pytest.mark.django_db
@pytest.mark.parametrize("view", ["fields", "json"])
def test_one_step_says_that_unknown_fields_may_come_along(
    alice: Client, page: str, view: str
) -> None:
    inside = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {**inside, "properties": {"b": inside, "c": {"allOf": [inside]}}}
    values = {"view": "json", "document": json.dumps(schema), "do": view}
    answer = alice.post(page, values)
    assert "Say that unknown fields may come along" in text_of(answer)
    answer = alice.post(page, {**sent(answer), "do": "state"})
    assert "Say that unknown fields may come along" not in text_of(answer)
    assert answer.context["editor"].view == view
    told = json.loads(answer.context["editor"].document)
    opened = {**inside, "additionalProperties": True}
    wanted = {"b": opened, "c": {"allOf": [inside]}}
    assert told == {**opened, "properties": wanted}
    broken = alice.post(page, {"view": "json", "document": '{"type": ', "do": "state"})
    assert broken.context["editor"].document == '{"type": '


@pytest.mark.django_db
def test_fields_and_json_show_the_same_both_ways(alice: Client, page: str) -> None:
    values = sent(alice.get(page)) | {"rows-0-meaning": "As on the invoice.", "do": "json"}
    as_json = alice.post(page, values)
    assert not as_json.context["editor"].is_as_fields
    back = alice.post(page, {**sent(as_json), "do": "fields"})
    assert back.context["editor"].rows[0].meaning == "As on the invoice."
    assert json.loads(back.context["editor"].document)["properties"]["amount"]["minimum"] == 0


@pytest.mark.django_db
def test_json_that_cannot_be_read_stays_in_sight(alice: Client, page: str) -> None:
    for document in ('{"type": ', '{"a": 1, "a": 2}', "[]", "x" * 600_000):
        answer = alice.post(page, {"view": "json", "document": document, "do": "fields"})
        assert answer.status_code == 200
        assert not answer.context["editor"].is_as_fields
        assert answer.context["form"]["document"].value() == document
        assert "mend the JSON first" in text_of(answer)


@pytest.mark.django_db
def test_live_check_says_what_breaks_and_which_number_fits(alice: Client, page: str) -> None:
    values = sent(alice.get(page))
    safe = text_of(alice.post(page, {**values, "do": "check"}, headers=HTMX))
    assert "<html" not in safe
    assert "Safe" in safe
    values["rows-2-is_required"] = "on"
    broken = text_of(alice.post(page, {**values, "do": "check"}, headers=HTMX))
    assert "E-mail becomes required" in broken
    assert "2.0.0" in broken
    wrong = text_of(alice.post(page, {**values, "version": "1.1.0", "do": "check"}, headers=HTMX))
    assert "This number does not fit" in wrong
    assert not ChangeRequest.objects.exists()


@pytest.mark.django_db
def test_nameless_and_repeated_fields_are_told_at_their_row(alice: Client, page: str) -> None:
    values = sent(alice.get(page)) | {"rows-1-name": "order_id", "reason": "x", "do": "open"}
    answer = alice.post(page, values)
    assert answer.status_code == 200
    assert re.search(r'id="row-1-fault".*stands here twice', text_of(answer), re.DOTALL)
    assert 'value="order_id"' in text_of(answer)
    assert not ChangeRequest.objects.exists()


@pytest.mark.django_db
def test_sample_event_becomes_fields(alice: Client, page: str) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "x",
        "data": {"order_id": "A-1", "buyer_email": "ada@example.com",
                 "lines": [{"sku": "MUG", "quantity": 2}]},
    }  # fmt: skip
    answer = alice.post(page, {"do": "infer", "sample": json.dumps(event)}, headers=HTMX)
    rows = {one.name: one for one in answer.context["editor"].rows}
    assert list(rows) == ["order_id", "buyer_email", "lines", "sku", "quantity"]
    assert rows["buyer_email"].sensitive == "personal"
    assert rows["quantity"].parent == rows["lines"].key
    example = answer.context["form"]["example"].value()
    assert "ada@" not in example or json.loads(example)["buyer_email"] == "ada@example.com"
    assert "<html" not in text_of(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("sample", ["", "nonsense", "[]", "[1]", '"x"', "[" * 9000, '{"a": NaN}'])
def test_what_is_no_sample_is_said_and_nothing_is_lost(
    alice: Client, page: str, sample: str
) -> None:
    values = sent(alice.get(page)) | {"do": "infer", "sample": sample, "reason": "Kept."}
    answer = alice.post(page, values)
    assert answer.status_code == 200
    assert names(answer) == ["order_id", "amount", "email"]
    assert 'role="alert"' in text_of(answer)
    assert "Kept." in text_of(answer)


@pytest.mark.django_db
def test_start_from_a_version_or_from_nothing(
    alice: Client, page: str, event_type: EventType
) -> None:
    factories.make_version(
        "2.0.0", event_type=event_type, document={"properties": {"n": {"type": "integer"}}}
    )
    assert names(alice.get(page)) == ["n"]
    older = alice.post(page, {"do": "version", "from_version": "1.0.0", "view": "json"})
    assert names(older) == ["order_id", "amount", "email"]
    assert names(alice.post(page, {"do": "empty", "view": "json"})) == []
    unknown = alice.post(page, {"do": "version", "from_version": "9.9.9", "document": "{}"})
    assert "Choose a version" in text_of(unknown)


@pytest.mark.django_db
def test_rows_are_removed_and_moved(alice: Client, page: str) -> None:
    values = sent(alice.get(page))
    answer = alice.post(page, {**values, "do": "remove:1"})
    assert names(answer) == ["order_id", "email"]
    assert json.loads(answer.context["editor"].document)["required"] == ["order_id"]
    assert names(alice.post(page, {**values, "do": "down:0"})) == ["amount", "order_id", "email"]
    assert names(alice.post(page, {**values, "do": "up:99"})) == ["order_id", "amount", "email"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "odd",
    [
        {"rows-count": "99999"},
        {"rows-count": "x"},
        {"rows-0-kind": "nonsense"},
        {"rows-0-parent": "/nowhere"},
        {"rows-0-key": "\x00"},
        {"rows-0-sensitive": "made up"},
        {"do": "nonsense"},
        {"do": "remove:"},
    ],
)
def test_odd_posts_are_answered(alice: Client, page: str, odd: dict[str, str]) -> None:
    assert alice.post(page, {**sent(alice.get(page)), "do": "check", **odd}).status_code == 200


# Drafts


@pytest.mark.django_db
def test_unfinished_draft_is_kept_continued_and_opened(alice: Client, page: str) -> None:
    values = sent(alice.get(page)) | {"example": "not JSON yet", "version": "soon", "do": "draft"}
    answer = alice.post(page, values)
    draft = ChangeRequest.objects.get()
    edit = reverse("governance:change-request-edit", args=[draft.number])
    assert answer["Location"] == edit
    assert draft.state == ChangeState.DRAFT
    assert edit in text_of(alice.get(page)), "my drafts are listed where I write"
    values = sent(alice.get(edit)) | {"reason": "Because."}
    assert values["example"] == "not JSON yet"
    answer = alice.post(edit, {**values, "do": "open"})
    assert {"version", "example"} <= set(answer.context["form"].errors)
    draft.refresh_from_db()
    assert draft.state == ChangeState.DRAFT
    mended = {**values, "example": json.dumps(factories.SAMPLE), "version": "", "do": "open"}
    assert alice.post(edit, mended).status_code == 302
    draft.refresh_from_db()
    assert draft.state == ChangeState.OPEN
    assert json.loads(draft.proposal)["version"] == "1.0.1"
    assert draft.title.endswith("1.0.1")


@pytest.mark.django_db
def test_unfinished_draft_cannot_be_opened_by_its_button(alice: Client, page: str) -> None:
    values = sent(alice.get(page)) | {"version": "soon", "do": "draft"}
    alice.post(page, values)
    draft = ChangeRequest.objects.get()
    detail = reverse("governance:change-request-detail", args=[draft.number])
    assert alice.get(detail).status_code == 200
    opening = reverse("governance:change-request-act", args=[draft.number, "open"])
    assert 'role="alert"' in text_of(alice.post(opening, follow=True))
    draft.refresh_from_db()
    assert draft.state == ChangeState.DRAFT


@pytest.mark.django_db
def test_draft_is_its_authors_and_is_discarded(alice: Client, page: str) -> None:
    alice.post(page, sent(alice.get(page)) | {"do": "draft"})
    draft = ChangeRequest.objects.get()
    edit = reverse("governance:change-request-edit", args=[draft.number])
    bob = signed_in(factories.make_person("bob"))
    assert bob.get(edit).status_code == 404
    assert edit not in text_of(bob.get(page))
    discard = reverse("governance:change-request-act", args=[draft.number, "withdraw"])
    assert bob.post(discard).status_code == 404
    assert alice.post(discard).status_code == 302
    draft.refresh_from_db()
    assert draft.state == ChangeState.WITHDRAWN
    assert edit not in text_of(alice.get(page))


@pytest.mark.django_db
def test_what_is_in_review_stays_whole_and_an_edit_voids_its_approvals(
    alice: Client, page: str, topic: Topic
) -> None:
    reviewer = signed_in(factories.make_person("rita", role=roles.REVIEWER, team=topic.owner))
    values = sent(alice.get(page)) | {"rows-0-meaning": "New.", "reason": "Why.", "do": "open"}
    alice.post(page, values)
    change = ChangeRequest.objects.get()
    approve = reverse("governance:change-request-act", args=[change.number, "approve"])
    seen = change.proposal_sha256
    accepted = ["house_rules", "data_protection"]
    reviewer.post(approve, {"note": "Good.", "seen": seen, "accepted": accepted})
    change.refresh_from_db()
    assert change.state == ChangeState.APPROVED
    edit = reverse("governance:change-request-edit", args=[change.number])
    values = sent(alice.get(edit))
    answer = alice.post(edit, {**values, "version": "soon", "do": "draft"})
    assert "version" in answer.context["form"].errors
    assert alice.post(edit, {**values, "rows-0-meaning": "Newer."}).status_code == 302
    change.refresh_from_db()
    assert change.state == ChangeState.OPEN
    assert not change.reviews.filter(voided_at__isnull=True).exists()


def test_every_kind_has_a_word() -> None:
    words = dict([*row_forms.KINDS, row_forms.OTHER_KIND])
    assert set(words) == set(RowKind)
