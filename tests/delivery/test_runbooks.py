"""Runbooks: written in steps with buttons, versioned, and shown where they fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import User
from catalog.moves import IllegalMove
from config.demo import runbooks as demo_runbooks
from delivery import breaker, probing, runbook_steps, runbooks
from delivery.models import Circuit, FailureGroup, Runbook
from delivery.runbook_steps import Deed
from delivery.runbooks import Content
from delivery.states import CircuitState
from delivery.transports import ErrorClass
from governance import roles
from governance.models import LedgerEntry
from tests import factories
from tests.administration import make_dead_letter
from tests.asking import make_machine, person
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db

LIST = reverse("delivery:runbook-list")
NEW = reverse("delivery:runbook-new")
TEXT = """Read this first.

## Does it answer?

Send one. [Send a test](do:test) and [probe](do:probe)

```
# no heading [no button either](http://example.com)
```

## Mend it

- [Change](do:edit)
"""
CONTENT = Content(title="When it refuses", text=TEXT, error_class="http_status", status_code=422)


@pytest.fixture
def sue() -> User:
    return factories.make_person("sue", role=roles.SUPPORT)


@pytest.fixture
def support(sue: User) -> Client:
    return signed_in(sue)


def write(content: Content, by: User) -> Runbook:
    return runbooks.write(content, by=by, now=timezone.now())


def page_of(runbook: Runbook) -> str:
    return reverse("delivery:runbook-detail", args=[runbook.number])


def failure_page(group: FailureGroup) -> str:
    return reverse("delivery:failure-detail", args=[group.number])


# Steps


def test_headings_are_steps_and_do_links_are_buttons() -> None:
    first, ask, mend = runbook_steps.steps(TEXT)
    assert (first.title, first.buttons) == ("", ())
    assert [(one.label, one.deed) for one in ask.buttons] == [
        ("Send a test", Deed.TEST),
        ("probe", Deed.PROBE),
    ]
    assert "do:" not in ask.text
    assert "# no heading" in ask.text
    assert [one.deed for one in mend.buttons] == [Deed.EDIT]


ODD = ["", "   ", "#", "[a](do:)", "[](do:test)", "```\n# open", "\r\n#x"]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_make_no_error(text: str) -> None:
    assert isinstance(runbook_steps.steps(text), list)


def test_every_kind_of_failure_has_a_runbook_in_the_demo() -> None:
    pages = list(demo_runbooks.pages())
    assert {one.error_class for one in pages} == set(ErrorClass)
    assert all(not runbook_steps.unknown_deeds(one.text) for one in pages)
    assert {401, 403, 404, 410, 413, 422, 429, 500, 503} <= {one.status_code for one in pages}


# Verbs


def test_each_save_is_a_version_in_history_and_ledger(sue: User) -> None:
    made = write(CONTENT, sue)
    now = timezone.now()
    refused = replace(CONTENT, title="Refused")
    changed = runbooks.change(made, refused, version=1, by=sue, now=now, reason="Name.")
    assert changed.version == 2
    kept = list(made.history.order_by("history_date").values_list("version", "title"))
    assert kept == [(1, "When it refuses"), (2, "Refused")]
    entries = LedgerEntry.objects.filter(action="runbook:write")
    assert entries.count() == 2
    assert TEXT[:20] not in str([(one.before, one.after) for one in entries])


def test_second_of_two_writers_does_not_overwrite_the_first(sue: User) -> None:
    made = write(CONTENT, sue)
    runbooks.change(made, CONTENT, version=1, by=sue, now=timezone.now())
    with pytest.raises(IllegalMove, match="meanwhile"):
        runbooks.change(made, CONTENT, version=1, by=sue, now=timezone.now())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"text": " "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": "# a\n" * 21}, "text"),
        ({"text": "[Delete all](do:delete)"}, "text"),
        ({"error_class": "gremlins", "status_code": None}, "error_class"),
        ({"error_class": "", "status_code": None}, "error_class"),
        ({"error_class": "dns"}, "status_code"),
        ({"status_code": 42}, "status_code"),
    ],
)
def test_unsound_runbook_is_refused(sue: User, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        write(replace(CONTENT, **wrong), sue)  # type: ignore[arg-type]  # wrong on purpose
    assert list(refused.value.message_dict) == [field]
    assert not Runbook.objects.exists()


def test_what_it_is_bound_to_decides_who_may_write_it() -> None:
    subscription = factories.make_subscription()
    owner = factories.make_person(team=subscription.application.team)
    topic_owner = factories.make_person(team=subscription.topic.owner)
    own = replace(CONTENT, subscription=subscription)
    of_topic = replace(CONTENT, topic=subscription.topic)
    made = write(own, owner)
    write(of_topic, topic_owner)
    for somebody, content in ((owner, CONTENT), (owner, of_topic), (topic_owner, own)):
        with pytest.raises(PermissionDenied):
            write(content, somebody)
    with pytest.raises(PermissionDenied):  # nor made one's way to everybody's failures
        runbooks.change(made, CONTENT, version=1, by=owner, now=timezone.now())
    assert Runbook.objects.get(pk=made.pk).subscription == subscription
    assert Runbook.objects.count() == 2


def test_most_particular_stands_first_and_what_does_not_fit_is_absent(sue: User) -> None:
    group = factories.make_failure_group()  # 500
    subscription = group.subscription
    general = write(replace(CONTENT, status_code=None), sue)
    status = write(replace(CONTENT, status_code=500), sue)
    of_topic = write(replace(CONTENT, topic=subscription.topic, status_code=None), sue)
    own = write(Content(title="Ours", text="x", subscription=subscription), sue)
    write(CONTENT, sue)  # 422
    write(Content(title="Theirs", text="x", subscription=factories.make_subscription()), sue)
    runbooks.retire(
        write(replace(CONTENT, status_code=500), sue), by=sue, now=timezone.now(), reason="Old."
    )
    assert list(runbooks.for_failure(group)) == [own, of_topic, status, general]


# Pages


def test_failure_shows_steps_with_buttons_for_who_may(support: Client, sue: User) -> None:
    group = make_dead_letter().failure_group
    every = " ".join(f"[Button {deed}](do:{deed})" for deed in Deed)
    write(replace(CONTENT, status_code=500, text=f"## All of them\n\n{every}"), sue)
    page = text_of(support.get(failure_page(group)))
    assert "All of them" in page
    for verb in ("ping", "probe", "pause", "resume", "rotate-secret"):
        assert reverse("delivery:subscription-act", args=[group.subscription.number, verb]) in page
    assert reverse("delivery:failure-act", args=[group.number, "validate"]) in page
    topic_owner = factories.make_person(team=group.subscription.topic.owner)
    assert signed_in(topic_owner).get(failure_page(group)).status_code == 404
    owner = signed_in(factories.make_person(team=group.subscription.application.team))
    seen = text_of(owner.get(failure_page(group)))
    assert "All of them" in seen
    assert "support and the publisher can" in seen  # correcting is not the subscriber's


def test_owner_without_the_right_sees_who_can(sue: User) -> None:
    group = factories.make_failure_group()
    write(replace(CONTENT, status_code=500, text="[Go](do:replay)"), sue)
    looking = factories.make_person(role=roles.REVIEWER)
    factories.give_permission(looking, "delivery.view_failuregroup")
    page = text_of(signed_in(looking).get(failure_page(group)))
    assert "support can" in page


def test_validate_says_whether_the_data_keeps_its_contract(support: Client) -> None:
    letter = make_dead_letter()
    act = reverse("delivery:failure-act", args=[letter.failure_group.number, "validate"])
    assert "keeps contract version 1.0.0" in text_of(support.post(act, follow=True))
    letter.payload = '{"order_id": 7, "email": "ada@example.com"}'
    letter.save()
    told = text_of(support.post(act, follow=True))
    assert "breaks contract version 1.0.0" in told
    assert "/order_id" in told
    assert "ada@example.com" not in told


def test_pages_are_for_those_whom_they_concern(support: Client, sue: User) -> None:
    subscription = factories.make_subscription()
    own = write(replace(CONTENT, title="Only ours", subscription=subscription), sue)
    assert must_sign_in(LIST)
    stranger = signed_in(factories.make_person("charlie"))
    assert "Only ours" not in text_of(stranger.get(LIST))
    edit = reverse("delivery:runbook-edit", args=[own.number])
    retire = reverse("delivery:runbook-act", args=[own.number, "retire"])
    assert [stranger.get(one).status_code for one in (page_of(own), edit)] == [404, 404]
    assert stranger.post(retire).status_code == 404
    reviewer = signed_in(factories.make_person(role=roles.REVIEWER))
    assert [reviewer.get(one).status_code for one in (page_of(own), edit, NEW)] == [200, 403, 403]
    assert reviewer.post(retire).status_code == 403
    owner = signed_in(factories.make_person(team=subscription.application.team))
    assert [owner.get(one).status_code for one in (page_of(own), edit, NEW)] == [200, 200, 200]
    assert support.get(LIST, {"q": "only"}).context["page"].paginator.count == 1


def form_of(content: Content = CONTENT, **more: object) -> dict[str, object]:
    given = {"title": content.title, "text": content.text, "error_class": content.error_class}
    return {**given, "status_code": content.status_code or "", **more}


def test_page_writes_changes_compares_and_retires(support: Client) -> None:
    done = support.post(NEW, form_of())
    made = Runbook.objects.get()
    assert done["Location"] == page_of(made)
    edit = reverse("delivery:runbook-edit", args=[made.number])
    support.post(edit, form_of(replace(CONTENT, text="## Other\n\nDo otherwise."), version=1))
    assert "Do otherwise." in text_of(support.get(page_of(made)))
    compared = text_of(support.get(page_of(made), {"version": "2"}))
    assert "What version 2 changed" in compared
    assert support.get(page_of(made), {"version": "nonsense"}).status_code == 200
    support.post(reverse("delivery:runbook-act", args=[made.number, "retire"]))
    assert not Runbook.objects.get().is_active
    assert made.title in text_of(support.get(LIST, {"retired": "1"}))


def test_typed_text_stays_when_it_is_refused(support: Client, sue: User) -> None:
    wrong = support.post(NEW, form_of(replace(CONTENT, text="My words [x](do:nothing)")))
    assert "My words" in text_of(wrong)
    assert "No button does" in text_of(wrong)
    made = write(CONTENT, sue)
    edit = reverse("delivery:runbook-edit", args=[made.number])
    runbooks.change(made, replace(CONTENT, text="Theirs"), version=1, by=sue, now=timezone.now())
    late = support.post(edit, form_of(replace(CONTENT, text="Mine"), version=1))
    page = text_of(late)
    assert "Somebody saved another version meanwhile" in page
    assert "Mine" in page
    assert "Theirs" in page
    assert Runbook.objects.get().text == "Theirs"


def test_new_one_starts_with_the_failure_it_is_written_for(support: Client) -> None:
    group = factories.make_failure_group()
    initial = support.get(NEW, {"failure": group.number}).context["form"].initial
    assert (initial["error_class"], initial["status_code"]) == ("http_status", 500)
    for nonsense in ("x", "²", "9" * 5000, "999999"):
        assert support.get(NEW, {"failure": nonsense}).status_code == 200


def test_markdown_is_cleaned(support: Client, sue: User) -> None:
    text = "## <script>x()</script>\n\n<img src=x onerror=y()> [z](javascript:z())"
    made = write(replace(CONTENT, text=text), sue)
    page = text_of(support.get(page_of(made)))
    assert "<script>x" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


# The machine API


def test_api_lists_writes_and_changes(sue: User) -> None:
    asker = person(sue)
    wish = {"title": "T", "text": "x", "error_class": "dns"}
    made = asker.post("runbooks", wish)
    assert made.status_code == 201
    assert asker.get("runbooks", error_class="dns").json()["results"][0]["id"] == made.json()["id"]
    one = f"runbooks/{made.json()['id']}"
    assert asker.patch(one, {**wish, "text": "y", "version": 1}).json()["version"] == 2
    assert asker.patch(one, {**wish, "version": 1}).status_code == 409
    assert asker.post("runbooks", {**wish, "topic": "none"}).status_code == 422
    assert make_machine().get("runbooks").json()["results"] == []
    assert make_machine().post("runbooks", wish).status_code == 403


# Probing


def open_circuit() -> Circuit:
    subscription = factories.make_subscription()
    state = breaker.record_all(breaker.CLOSED, [False] * 10, now=timezone.now())
    Circuit.objects.filter(pk=subscription.pk).update(
        state=CircuitState.OPEN,
        breaker=breaker.as_json(state),
        next_probe_at=breaker.next_probe_at(state),
    )
    return Circuit.objects.get(pk=subscription.pk)


def test_probe_goes_out_at_once_when_a_person_says_so(support: Client) -> None:
    circuit = open_circuit()
    now = timezone.now()
    assert not breaker.may_send(breaker.from_json(circuit.breaker), now)
    act = reverse("delivery:subscription-act", args=[circuit.subscription.number, "probe"])
    assert support.post(act).status_code == 302
    circuit.refresh_from_db()
    assert breaker.may_send(breaker.from_json(circuit.breaker), timezone.now())
    assert circuit.state == CircuitState.OPEN
    assert LedgerEntry.objects.filter(action="subscription:probe").count() == 1


def test_probe_is_refused_to_strangers_and_where_there_is_nothing_to_ask(sue: User) -> None:
    circuit = open_circuit()
    now = timezone.now()
    with pytest.raises(PermissionDenied):
        probing.probe_now(circuit.subscription, by=factories.make_person(), now=now)
    with pytest.raises(IllegalMove):
        probing.probe_now(factories.make_subscription(), by=sue, now=now)
