"""Subscriptions in the browser: the list, the wizard, one of them, and what one may do to it."""

from __future__ import annotations

import re

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from catalog.models import Region, User
from catalog.words import ApplicationKind
from delivery.models import Circuit, Subscription
from governance import roles
from governance.governed import governed
from governance.models import Grant
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("delivery:subscription-list")
NEW = reverse("delivery:subscription-new")
MOST_QUERIES = 36


@pytest.fixture(autouse=True)
def _loopback_may_be_reached(settings: LazySettings) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def support() -> Client:
    return signed_in(factories.make_person("sue", role=roles.SUPPORT))


def owner_of(subscription: Subscription) -> User:
    return factories.make_person(team=subscription.application.team)


def page_of(subscription: Subscription) -> str:
    return reverse("delivery:subscription-detail", args=[subscription.number])


def act(client: Client, subscription: Subscription, verb: str, **data: object) -> int:
    page = reverse("delivery:subscription-act", args=[subscription.number, verb])
    return client.post(page, data).status_code


# Seeing


def test_subscriptions_are_shown_to_owners_and_support_only(support: Client) -> None:
    subscription = factories.make_subscription(name="Walrus sheet")
    edit = reverse("delivery:subscription-edit", args=[subscription.number])
    for page in (LIST, NEW, page_of(subscription), edit):
        assert must_sign_in(page)
    stranger = signed_in(factories.make_person("charlie"))
    assert statuses(stranger, [page_of(subscription), edit]) == {
        page_of(subscription): 404,
        edit: 404,
    }
    assert "Walrus" not in text_of(stranger.get(LIST))
    for client in (support, signed_in(owner_of(subscription))):
        assert "Walrus" in text_of(client.get(LIST))
        assert statuses(client, [page_of(subscription), edit]) == {
            page_of(subscription): 200,
            edit: 200,
        }


def test_list_shows_what_fails_first_and_what_waits(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    healthy, version = make_world("http://127.0.0.1:9/", name="A healthy one")
    failing = factories.make_subscription(topic=healthy.topic, name="Z failing one")
    Circuit.objects.filter(subscription=failing).update(
        state="open", last_failure_at=timezone.now()
    )
    owe(failing, make_events(version, 4))
    for _ in range(5):
        factories.make_subscription(topic=healthy.topic)
    with django_assert_max_num_queries(MOST_QUERIES):
        rows = support.get(LIST).context["rows"]
    assert rows[0][0] == failing
    assert rows[0][1] == "failing"
    assert rows[0][2].count == 4


def test_list_is_searched_and_kept_to_its_environment(support: Client) -> None:
    wanted = factories.make_subscription(name="Walrus sheet")
    factories.make_subscription(name="Other sheet")
    found = text_of(support.get(LIST, {"q": "walrus"}))
    assert page_of(wanted) in found
    assert "Other sheet" not in found
    assert "Walrus" not in text_of(support.get(LIST, {"environment": "staging"}))


def test_page_tells_state_backlog_and_order(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    subscription, version = make_world("http://127.0.0.1:9/hook", filter={"subject": "A-1"})
    owe(subscription, make_events(version, 3))
    with django_assert_max_num_queries(MOST_QUERIES):
        page = text_of(support.get(page_of(subscription)))
    assert "3 deliveries wait; none is lost." in page
    assert "http://127.0.0.1:9/hook" in page
    assert "not encrypted" in page
    assert "Send a test event" in page


def test_reviewer_sees_it_without_the_buttons() -> None:
    subscription = factories.make_subscription()
    page = text_of(signed_in(factories.make_person(role=roles.REVIEWER)).get(page_of(subscription)))
    assert "Send a test event" not in page
    assert "Pause deliveries" not in page


# The wizard


def test_flow_is_connected_step_by_step(receiver: Receiver) -> None:
    team = factories.make_team("sales")
    application = factories.make_application("order-sheet", team=team)
    topic = factories.make_topic("sales.orders")
    event_type = factories.make_event_type("com.acme.sales.order.created", topic=topic)
    factories.make_version(event_type=event_type)
    factories.make_grant(application, topic=topic)
    alice = signed_in(factories.make_person("alice", team=team))
    form = {
        "event_type": event_type.name, "environment": "production", "application": "order-sheet",
        "endpoint_url": receiver.url(), "body": "binary", "mapping": "", "version_pin": "",
        "field": "amount", "operator": "above", "value": "100", "filter": "", "name": "Big orders",
        "batching": "batches", "batch_max_events": "7", "batch_max_bytes": "",
    }  # fmt: skip
    assert event_type.title in text_of(alice.get(NEW, {"event_type": event_type.name}))
    for step in (1, 2, 3):
        answer = alice.post(NEW, {**form, "step": step, "name": ""})
        assert answer.context["step"] == step + 1
    suggested = answer.context["form"]["name"].value()
    assert (application.name in suggested, event_type.title in suggested) == (True, True)
    assert alice.post(NEW, {**form, "step": 4, "back": "1"}).context["step"] == 3
    answer = alice.post(NEW, {**form, "step": 4})
    made = Subscription.objects.get()
    assert answer["Location"] == page_of(made)
    assert (made.name, made.application, made.environment) == (
        "Big orders", application, "production",
    )  # fmt: skip
    assert made.filter
    assert (made.batching, made.batch_max_events) == ("batches", 7)
    assert made.batch_max_bytes == Subscription().batch_max_bytes  # left empty: the default
    page = text_of(alice.get(page_of(made)))
    assert re.search(r"whsec_[A-Za-z0-9+/=]{20,}", page)
    assert "whsec_" not in text_of(alice.get(page_of(made)))  # shown once


def test_wizard_says_what_is_wrong_at_its_own_step() -> None:
    team = factories.make_team("sales")
    factories.make_application("order-sheet", team=team)
    event_type = factories.make_event_type()
    factories.make_version(event_type=event_type)
    alice = signed_in(factories.make_person("alice", team=team))
    form = {
        "event_type": event_type.name, "environment": "production",
        "application": "order-sheet", "endpoint_url": "ftp://nowhere", "body": "binary",
    }  # fmt: skip
    answer = alice.post(NEW, {**form, "step": 3})
    assert answer.context["step"] == 3
    assert "endpoint_url" in answer.context["form"].errors
    assert not Subscription.objects.exists()


def test_wizard_offers_only_what_one_may_use() -> None:
    factories.make_application("others-app")
    hidden = factories.make_event_type(topic=factories.make_topic(is_restricted=True))
    factories.make_version(event_type=hidden)
    alice = signed_in(factories.make_person("alice", team=factories.make_team("sales")))
    page = text_of(alice.get(NEW, {"step": "1"}))
    assert hidden.name not in page
    assert "others-app" not in text_of(alice.get(NEW, {"step": "2"}))


def test_kind_of_flow_leads_to_an_application_of_it_or_to_registering_one() -> None:
    team = factories.make_team("sales")
    factories.make_application("order-sheet", team=team, kind=ApplicationKind.N8N)
    event_type = factories.make_event_type()
    factories.make_version(event_type=event_type)
    alice = signed_in(factories.make_person("alice", team=team))
    asked = {"event_type": event_type.name, "step": "2"}
    chosen = alice.get(NEW, {**asked, "kind": "n8n"})
    assert chosen.context["form"]["application"].value() == "order-sheet"
    missing = text_of(alice.get(NEW, {**asked, "kind": "zapier"}))
    assert "You have no Zapier application yet." in missing
    register = reverse("catalog:application-new") + f"?kind=zapier&connect={event_type.name}"
    assert escape(register) in missing
    answer = alice.post(register, {
        "name": "Loyalty mailer", "kind": "zapier", "team": team.pk, "description": "",
        "region": Region.objects.get().pk,
    })  # fmt: skip
    assert answer["Location"].startswith(NEW)
    back = alice.get(answer["Location"])
    assert back.context["step"] == 2
    assert back.context["form"]["application"].value() == "loyalty-mailer"


def test_failing_subscription_leads_to_its_failure() -> None:
    group = factories.make_failure_group()
    page = text_of(signed_in(owner_of(group.subscription)).get(page_of(group.subscription)))
    assert "Understand and mend" in page
    assert reverse("delivery:failure-detail", args=[group.number]) in page


def test_hidden_deliveries_are_not_said_to_be_missing() -> None:
    delivery = factories.make_delivery()
    stranger = signed_in(factories.make_person("zoe", role=roles.REVIEWER))
    page = text_of(stranger.get(page_of(delivery.subscription)))
    assert "Nothing came yet" not in page
    assert "You may not see its deliveries" in page


# Acting


def test_test_event_is_sent_and_told(receiver: Receiver) -> None:
    subscription, _version = make_world(receiver.url())
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, "ping") == 302
    assert len(receiver.got) == 1
    assert "the test event arrived" in text_of(client.get(page_of(subscription)))
    receiver.reply = lambda _got, _before: Reply(status=404)
    act(client, subscription, "ping")
    assert "The test event did not arrive." in text_of(client.get(page_of(subscription)))


def test_pause_resume_and_rotation_do_what_they_say() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    act(client, subscription, "pause", reason="Moving house.")
    subscription.refresh_from_db()
    assert subscription.state == "paused"
    assert "Paused: its backlog is kept." in text_of(client.get(page_of(subscription)))
    assert act(client, subscription, "pause", reason="Again.") == 409
    act(client, subscription, "resume")
    subscription.refresh_from_db()
    assert subscription.state == "active"
    act(client, subscription, "rotate-secret")
    assert "whsec_" in text_of(client.get(page_of(subscription)))


def test_ended_subscription_keeps_its_page_and_loses_its_buttons() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, "end", reason="Not needed.") == 302
    page = text_of(client.get(page_of(subscription)))
    assert "It has ended" in page
    assert "Send a test event" not in page
    assert act(client, subscription, "pause", reason="Late.") == 409
    assert act(client, subscription, "rotate-secret") == 404
    assert subscription.name not in text_of(client.get(LIST))


def test_change_is_kept_with_its_reason_and_refused_where_it_cannot_work() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    page = reverse("delivery:subscription-edit", args=[subscription.number])
    form = {
        "name": "Renamed", "endpoint_url": "http://127.0.0.1:9/new", "body": "structured",
        "mapping": "", "concurrency": "4", "rate_per_second": "", "timeout_seconds": "10",
        "filter": "", "reason": "It moved.", "batching": "batches", "batch_max_events": "50",
        "batch_max_bytes": "1000", "batch_max_wait_seconds": "", "poison": "skip",
    }  # fmt: skip
    refused = client.post(page, {**form, "concurrency": "100000", "filter": '{"odd": 1}'})
    assert refused.status_code == 200
    assert {"concurrency", "filter"} <= set(refused.context["form"].errors)
    assert client.post(page, {**form, "filter": "not JSON"}).status_code == 200
    assert client.post(page, form)["Location"] == page_of(subscription)
    changed = Subscription.objects.select_related("endpoint").get()
    assert (changed.name, changed.concurrency, changed.body) == ("Renamed", 4, "structured")
    assert changed.endpoint is not None
    assert changed.endpoint.url == "http://127.0.0.1:9/new"


@pytest.mark.parametrize(("before", "verb"), [("pause", "pause"), ("end", "pause"), ("end", "end")])
def test_reason_that_comes_too_late_is_kept(before: str, verb: str) -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, before, reason="The other one was faster.") == 302
    page = reverse("delivery:subscription-act", args=[subscription.number, verb])
    answer = client.post(page, {"reason": "What I typed for minutes."})
    assert answer.status_code == 409
    assert "What I typed for minutes." in text_of(answer)


def test_reason_of_a_refused_verb_is_kept() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, "pause", reason="Maintenance.") == 302
    with governed(by=None, now=timezone.now()):
        Grant.objects.all().delete()
    page = reverse("delivery:subscription-act", args=[subscription.number, "resume"])
    answer = client.post(page, {"reason": "What I <typed> for minutes."})
    assert answer.status_code == 422
    assert "What I &lt;typed&gt; for minutes." in answer.content.decode()
    assert Subscription.objects.get().state == "paused"
    wordless = client.post(page, {"reason": " "})
    assert wordless["Location"] == page_of(subscription)


@pytest.mark.parametrize("asked", ["https://elsewhere.example/", "//elsewhere.example/", "9"])
def test_way_back_never_leads_out_of_the_portal(asked: str) -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    page = reverse("delivery:subscription-act", args=[subscription.number, "pause"])
    answer = client.post(page, {"next": asked, "reason": "x"})
    assert answer["Location"] == page_of(subscription)


def test_those_who_only_read_are_refused() -> None:
    subscription = factories.make_subscription()
    reviewer = signed_in(factories.make_person(role=roles.REVIEWER))
    for verb in ("pause", "resume", "ping", "rotate-secret", "end"):
        assert act(reviewer, subscription, verb, reason="x") == 403, verb
    edit = reverse("delivery:subscription-edit", args=[subscription.number])
    assert reviewer.get(edit).status_code == 403


@pytest.mark.parametrize("step", ["²", "9" * 5000, "0", "x"])
def test_wizard_starts_again_at_a_step_that_it_does_not_have(support: Client, step: str) -> None:
    assert support.post(NEW, {"step": step}).status_code == 200


def test_key_pair_is_made_on_the_page_and_its_public_half_shown() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, "key-pair") == 302
    assert "whpk_" in text_of(client.get(page_of(subscription)))
    assert act(client, subscription, "end-key-pair") == 302
    assert "whpk_" not in text_of(client.get(page_of(subscription)))
    stranger = signed_in(factories.make_person("charlie"))
    assert act(stranger, subscription, "key-pair") == 404


def test_fields_that_are_read_are_declared_and_must_exist() -> None:
    subscription = factories.make_subscription()
    factories.make_version(event_type=factories.make_event_type(topic=subscription.topic))
    owner = signed_in(factories.make_person(team=subscription.application.team))
    page = reverse("delivery:subscription-edit", args=[subscription.number])
    form = owner.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    typed |= {"reason": "We read two.", "endpoint_url": ""}
    wrong = owner.post(page, {**typed, "reads": "order_id, nonsense"})
    assert "nonsense is no field of these events." in text_of(wrong)
    assert owner.post(page, {**typed, "reads": "order_id, amount order_id"}).status_code == 302
    subscription.refresh_from_db()
    assert subscription.reads == ["order_id", "amount"]


def test_refresh_in_another_tab_eats_neither_the_secret_nor_what_was_said() -> None:
    subscription = factories.make_subscription()
    client = signed_in(owner_of(subscription))
    assert act(client, subscription, "rotate-secret") == 302
    elsewhere = text_of(client.get(page_of(subscription), headers={"X-Refresh": "1"}))
    assert "whsec_" not in elsewhere
    assert "A new secret signs from now on" not in elsewhere
    shown = text_of(client.get(page_of(subscription)))
    assert "whsec_" in shown
    assert "A new secret signs from now on" in shown
