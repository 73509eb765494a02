"""What a person may not see is absent, and whoever gains or loses sight sees it at once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import (
    Application,
    Domain,
    EventType,
    Release,
    SchemaVersion,
    Team,
    Topic,
    User,
)
from delivery.models import (
    DeadLetter,
    Delivery,
    Endpoint,
    Event,
    FailureGroup,
    Replay,
    Subscription,
)
from governance import access, grants, ledger
from governance.actions import Action
from governance.models import AccessRequest, ApiKey, ChangeRequest, Grant, LedgerEntry
from governance.states import ChangeState
from tests import factories
from tests.governance.world import World, make_things

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SEE_ALL = {"reviewer", "own reviewer", "admin", "support", "superuser"}
LISTS = [
    (Topic, Action.TOPIC_VIEW),
    (EventType, Action.EVENT_TYPE_VIEW),
    (SchemaVersion, Action.EVENT_TYPE_VIEW),
    (Release, Action.EVENT_TYPE_VIEW),
    (Domain, Action.TOPIC_VIEW),
    (Team, Action.TOPIC_VIEW),
    (Application, Action.APPLICATION_VIEW),
    (ApiKey, Action.KEY_VIEW),
    (Grant, Action.GRANT_VIEW),
    (AccessRequest, Action.ACCESS_REQUEST_VIEW),
    (ChangeRequest, Action.CHANGE_VIEW),
    (LedgerEntry, Action.LEDGER_VIEW),
    (Subscription, Action.SUBSCRIPTION_VIEW),
    (Endpoint, Action.ENDPOINT_CHANGE),
    (Event, Action.EVENT_VIEW),
    (Delivery, Action.DELIVERY_VIEW),
    (DeadLetter, Action.FAILURE_VIEW),
    (FailureGroup, Action.FAILURE_VIEW),
    (Replay, Action.REPLAY_VIEW),
]


def who_sees(world: World, thing: object, action: Action) -> set[str]:
    model = type(thing)
    return {
        name
        for name, person in world.people.items()
        if access.restrict(model.objects.all(), person, action).filter(pk=thing.pk).exists()  # type: ignore[attr-defined]
    }


@pytest.fixture
def secret(world: World) -> World:
    """The shop again, its topic restricted; sales has a grant through its application only."""
    stock = factories.make_team("stock")
    topic = factories.make_topic("stock.secret", owner=stock, is_restricted=True)
    return World(people=world.people, things={**make_things(world.people, topic), "": None})


def test_restricted_topic_is_seen_by_its_team_and_the_roles_that_need_to(secret: World) -> None:
    for name, action in (
        ("topic", Action.TOPIC_VIEW),
        ("event type", Action.EVENT_TYPE_VIEW),
        ("version", Action.EVENT_TYPE_VIEW),
    ):
        assert who_sees(secret, secret.thing(name), action) == SEE_ALL | {"dave"}


def test_grant_shows_a_restricted_topic_and_revoking_hides_it(secret: World) -> None:
    topic = secret.thing("topic")
    assert isinstance(topic, Topic)
    grant = factories.make_grant(factories.make_team("sales"), topic=topic)
    assert who_sees(secret, topic, Action.TOPIC_VIEW) == SEE_ALL | {"dave", "alice", "bob"}
    grants.revoke(grant, by=factories.make_admin(), reason="Over.", now=NOW)
    assert who_sees(secret, topic, Action.TOPIC_VIEW) == SEE_ALL | {"dave"}


def test_application_with_a_grant_sees_its_restricted_topic(secret: World) -> None:
    application, topic = secret.thing("application"), secret.thing("topic")
    assert isinstance(application, Application)
    assert access.allows(application.service_account, Action.TOPIC_VIEW, topic)
    other = factories.make_application().service_account
    assert not access.allows(other, Action.TOPIC_VIEW, topic)


def test_own_things_on_a_restricted_topic_stay_visible(secret: World) -> None:
    """Else a team could not see why its subscription stopped."""
    assert who_sees(secret, secret.thing("subscription"), Action.SUBSCRIPTION_VIEW) >= {"alice"}
    assert "charlie" not in who_sees(secret, secret.thing("subscription"), Action.SUBSCRIPTION_VIEW)
    assert who_sees(secret, secret.thing("request"), Action.ACCESS_REQUEST_VIEW) >= {"alice"}


def test_change_of_a_restricted_topic_is_hidden_like_it(secret: World) -> None:
    seen = who_sees(secret, secret.thing("change"), Action.CHANGE_VIEW)
    assert seen == SEE_ALL | {"dave", "alice"}  # alice proposed it


def test_consumer_of_a_restricted_topic_only_is_unknown_to_strangers(secret: World) -> None:
    seen = who_sees(secret, secret.thing("application"), Action.APPLICATION_VIEW)
    assert seen == SEE_ALL | {"dave", "alice", "bob"}


def test_application_without_any_grant_is_its_teams_and_the_roles(world: World) -> None:
    lone = factories.make_application(team=factories.make_team("sales"))
    assert who_sees(world, lone, Action.APPLICATION_VIEW) == SEE_ALL | {"alice", "bob"}


def test_draft_is_its_authors_and_the_owning_teams(world: World) -> None:
    topic = world.thing("topic")
    assert isinstance(topic, Topic)
    draft = factories.make_change_request(
        topic=topic, by=world.person("alice"), state=ChangeState.DRAFT
    )
    seen = who_sees(world, draft, Action.CHANGE_VIEW)
    assert seen == {"alice", "dave", "own reviewer", "admin", "superuser"}


def test_receiver_of_an_event_sees_it(world: World) -> None:
    subscription, event_type = world.thing("subscription"), world.thing("event type")
    assert isinstance(subscription, Subscription)
    assert isinstance(event_type, EventType)
    stranger = factories.make_application()
    event = factories.make_event(event_type=event_type, application=stranger)
    assert "alice" not in who_sees(world, event, Action.EVENT_VIEW)
    factories.make_delivery(event, subscription=subscription)
    assert "alice" in who_sees(world, event, Action.EVENT_VIEW)
    assert "charlie" not in who_sees(world, event, Action.EVENT_VIEW)


def test_ledger_shows_people_what_concerns_their_teams(world: World) -> None:
    topic, grant = world.thing("topic"), world.thing("grant")
    about_grant = LedgerEntry.objects.filter(related__contains=[ledger.reference(grant)]).first()
    assert about_grant is not None
    seen = who_sees(world, about_grant, Action.LEDGER_VIEW)
    assert seen == SEE_ALL | {"alice", "bob", "dave"}
    about_topic = LedgerEntry.objects.about(topic).first()
    assert about_topic is not None
    assert who_sees(world, about_topic, Action.LEDGER_VIEW) == SEE_ALL | {"dave"}


def test_reader_of_the_ledger_without_sight_of_a_topic_does_not_read_of_it(secret: World) -> None:
    charlie = secret.person("charlie")
    factories.give_permission(charlie, "governance.view_ledgerentry")
    again = User.objects.get(pk=charlie.pk)
    entries = access.restrict(LedgerEntry.objects.all(), again, Action.LEDGER_VIEW)
    assert entries.exists()
    topic = ledger.reference(secret.thing("topic"))
    assert not entries.filter(related__contains=[topic]).exists()


@pytest.mark.parametrize(
    ("model", "action"), LISTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_lists_cost_the_same_however_many_rows(
    world: World, model: type[Topic], action: Action
) -> None:
    """Only role permissions, and for the ledger one's own things, are read beforehand."""
    for name in ("alice", "support"):
        user = User.objects.get(pk=world.person(name).pk)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            list(access.restrict(model.objects.all(), user, action))
        assert len(queries) <= 7, [query["sql"][:90] for query in queries]


@pytest.mark.parametrize(
    ("model", "action"), LISTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_rows_are_not_repeated(world: World, model: type[Topic], action: Action) -> None:
    for person in world.people.values():
        found = list(access.restrict(model.objects.all(), person, action).values_list("pk"))
        assert len(found) == len(set(found))


def test_wrong_word_shows_nothing(world: World) -> None:
    """A page that asks for subscriptions with the word for topics must not show them all."""
    alice = world.people["charlie"]
    for model in (Subscription, Endpoint, ApiKey, Event, Delivery, Grant, AccessRequest):
        for action in (Action.TOPIC_VIEW, Action.EVENT_TYPE_VIEW, Action.APPLICATION_VIEW):
            assert not access.restrict(model._default_manager.all(), alice, action).exists()


@pytest.mark.django_db
def test_sender_follows_its_deliveries_but_does_not_see_them_whole() -> None:
    publisher = factories.make_application(team=factories.make_team("senders"))
    delivery = factories.make_delivery(event=factories.make_event(application=publisher))
    member = factories.make_person("sender", team=publisher.team)
    stranger = factories.make_person("stranger", team=factories.make_team("elsewhere"))
    for user in (publisher.service_account, member):
        assert access.allows(user, Action.DELIVERY_TRACE, delivery)
        assert not access.allows(user, Action.DELIVERY_VIEW, delivery)
    assert not access.allows(stranger, Action.DELIVERY_TRACE, delivery)
