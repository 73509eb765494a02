"""Verbs on catalog things: permission, change, ledger; bad values refused by field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import Application, EventType, Team, User
from catalog.words import UserKind
from governance import (
    access,
    applications,
    event_types,
    grants,
    people,
    receivers,
    roles,
    tasks,
    teams,
    topics,
    verification,
)
from governance.actions import Action
from governance.models import LedgerEntry
from governance.states import GrantState
from tests import factories
from tests.governance.world import World

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def again(person: User) -> User:
    """Return the person as the next request loads them."""
    return User.objects.get(pk=person.pk)


def test_registered_application_acts_through_an_account_in_its_teams_group(world: World) -> None:
    sales, alice = factories.make_team("sales"), world.person("alice")
    made = applications.register(
        name="Order sheet",
        kind="n8n",
        team=sales,
        region=factories.make_region(),
        description="Writes orders to a sheet.",
        by=alice,
        now=NOW,
    )
    account = made.service_account
    assert (made.slug, account.kind) == ("order-sheet", UserKind.SERVICE)
    assert not account.has_usable_password()
    assert list(account.groups.all()) == [sales.group]
    entry = LedgerEntry.objects.about(made).get()
    assert (entry.action, entry.actor_id) == (Action.APPLICATION_REGISTER, alice.pk)
    tables = {seal["table"] for seal in entry.snapshots}
    assert tables == {"catalog.historicalapplication", "catalog.historicaluser"}


def test_second_application_of_a_name_gets_its_own_short_name(world: World) -> None:
    slugs = [
        applications.register(
            name="Order sheet",
            kind="n8n",
            team=factories.make_team(team),
            region=factories.make_region(),
            by=factories.make_admin(),
            now=NOW,
        ).slug
        for team in ("sales", "billing", "stock")
    ]
    assert slugs == ["order-sheet", "order-sheet-2", "order-sheet-3"]


def test_team_has_one_application_of_a_name(world: World) -> None:
    def register(name: str) -> Application:
        return applications.register(
            name=name,
            kind="n8n",
            team=factories.make_team("sales"),
            region=factories.make_region(),
            by=world.person("bob"),
            now=NOW,
        )

    first, other = register("Order sheet"), register("Invoice sheet")
    with pytest.raises(ValidationError, match="already"):
        register("order sheet")
    with pytest.raises(ValidationError, match="already"):
        applications.change(other, name="Order sheet", by=world.person("bob"), now=NOW)
    applications.change(first, description="Same name.", by=world.person("bob"), now=NOW)


@pytest.mark.parametrize(
    ("field", "values"), [("name", {"name": "…"}), ("kind", {"kind": "spreadsheet"})]
)
def test_application_that_makes_no_sense_is_refused_by_field(
    world: World, field: str, values: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        applications.register(
            **{"name": "Sheet", "kind": "n8n", **values},
            team=factories.make_team("sales"),
            region=factories.make_region(),
            by=world.person("alice"),
            now=NOW,
        )
    assert set(caught.value.message_dict) == {field}


def test_application_is_handed_over_only_by_who_may_register_there(world: World) -> None:
    application = world.thing("application")
    assert isinstance(application, Application)
    with pytest.raises(PermissionDenied):
        applications.change(
            application, team=factories.make_team("stock"), by=world.person("alice"), now=NOW
        )
    handed = applications.change(
        application, team=factories.make_team("stock"), by=world.person("admin"), now=NOW
    )
    assert handed.service_account.groups.get().team.slug == "stock"
    assert verification.verify() is None


def test_change_that_changes_nothing_leaves_no_entry(world: World) -> None:
    application = world.thing("application")
    assert isinstance(application, Application)
    entries = LedgerEntry.objects.count()
    applications.change(application, name=application.name, by=world.person("alice"), now=NOW)
    assert LedgerEntry.objects.count() == entries


def test_ledger_holds_what_changed_before_and_after(world: World) -> None:
    topic = factories.make_topic(title="Old", owner=factories.make_team("stock"))
    topics.change(
        topic, title="New", retention_days=90, reason="Clearer.", by=world.person("dave"), now=NOW
    )
    entry = LedgerEntry.objects.about(topic).latest("number")
    assert (entry.before, entry.after) == ({"title": "Old"}, {"title": "New"})
    assert entry.reason == "Clearer."


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": "Not A Name"}),
        ("kind", {"kind": "pigeon"}),
        ("regions", {"regions": ["moon"]}),
        ("title", {"title": " "}),
    ],
)
def test_topic_that_makes_no_sense_is_refused_by_field(
    world: World, field: str, values: dict[str, object]
) -> None:
    sensible: dict[str, object] = {"name": "sales.orders", "title": "Orders"}
    with pytest.raises(ValidationError) as caught:
        topics.create(
            domain=factories.make_domain(),
            by=world.person("admin"),
            now=NOW,
            **{**sensible, **values},  # type: ignore[arg-type]  # one of them is wrong on purpose
        )
    assert set(caught.value.message_dict) == {field}


def test_domain_topic_and_event_type_are_made_by_their_owners(world: World) -> None:
    admin, dave, stock = world.person("admin"), world.person("dave"), factories.make_team("stock")
    domain = topics.create_domain(slug="depot", name="Depot", owner=stock, by=admin, now=NOW)
    topic = topics.create(
        name="depot.shelves", title="Shelves", domain=domain, retention_days=30, by=dave, now=NOW
    )
    event_type = event_types.create(
        name="com.acme.depot.shelf.moved", title="Shelf moved", topic=topic, by=dave, now=NOW
    )
    assert (topic.owner, topic.retention_days, event_type.topic) == (stock, 30, topic)
    event_types.change(event_type, title="Shelf was moved", by=dave, now=NOW)
    topics.change_domain(domain, name="The depot", by=dave, now=NOW)
    assert verification.verify() is None


@pytest.mark.parametrize(
    "change", [topics.change, topics.change_domain, teams.change, people.change]
)
def test_field_that_nobody_may_set_is_a_mistake_of_the_caller(
    world: World, change: Callable[..., object]
) -> None:
    with pytest.raises(TypeError):
        change(world.thing("topic"), id="x", by=world.person("admin"), now=NOW)


def test_member_of_a_team_shares_what_it_owns(world: World) -> None:
    charlie, sales = world.person("charlie"), factories.make_team("sales")
    application = world.thing("application")
    admin = world.person("admin")
    teams.add_member(sales, charlie, by=admin, now=NOW)
    teams.add_member(sales, charlie, by=admin, now=NOW)
    assert access.allows(again(charlie), Action.APPLICATION_CHANGE, application)
    teams.remove_member(sales, charlie, by=admin, now=NOW)
    assert not access.allows(again(charlie), Action.APPLICATION_CHANGE, application)
    assert LedgerEntry.objects.about(sales).filter(action=Action.TEAM_CHANGE).count() == 2


def test_service_account_is_no_member_to_be_added(world: World) -> None:
    account = factories.make_application().service_account
    with pytest.raises(ValidationError):
        teams.add_member(factories.make_team("sales"), account, by=world.person("admin"), now=NOW)


def test_team_comes_with_its_group(world: World) -> None:
    team = teams.create(slug="returns", name="Returns", by=world.person("admin"), now=NOW)
    assert team.group.name == "team:returns"
    with pytest.raises(ValidationError):
        teams.create(slug="returns", name="Others", by=world.person("admin"), now=NOW)
    assert Team.objects.filter(slug="returns").count() == 1


def test_role_is_given_and_taken(world: World) -> None:
    charlie, admin = world.person("charlie"), world.person("admin")
    topic = world.thing("topic")
    people.give_role(charlie, roles.ADMIN, by=admin, now=NOW)
    assert access.allows(again(charlie), Action.GRANT_GIVE, topic)
    people.take_role(charlie, roles.ADMIN, by=admin, now=NOW)
    assert not access.allows(again(charlie), Action.GRANT_GIVE, topic)
    actions = LedgerEntry.objects.about(charlie).values_list("action", flat=True)
    assert list(actions).count(Action.ROLE_CHANGE) == 2


def test_nobody_takes_the_admin_role_from_themself(world: World) -> None:
    admin = world.person("admin")
    with pytest.raises(ValidationError):
        people.take_role(admin, roles.ADMIN, by=admin, now=NOW)
    with pytest.raises(ValidationError):
        people.change(admin, is_active=False, by=admin, now=NOW)


def test_only_admins_make_people_and_weak_passwords_are_refused(world: World) -> None:
    admin = world.person("admin")
    with pytest.raises(PermissionDenied):
        people.create(
            username="eve", name="Eve", password=None, by=world.person("support"), now=NOW
        )
    with pytest.raises(ValidationError):
        people.create(username="eve", name="Eve", password="12345", by=admin, now=NOW)
    eve = people.create(username="eve", name="Eve", password=factories.PASSWORD, by=admin, now=NOW)
    assert eve.check_password(factories.PASSWORD)
    assert eve.password not in str(list(LedgerEntry.objects.about(eve).values()))


def test_deactivated_person_may_nothing(world: World) -> None:
    dave = world.person("dave")
    people.change(dave, is_active=False, by=world.person("admin"), now=NOW)
    assert not access.allows(again(dave), Action.TOPIC_CHANGE, world.thing("topic"))


def test_tidy_task_closes_what_ran_out() -> None:
    past = NOW - timedelta(days=2)
    grant = factories.make_grant(until=NOW - timedelta(days=1), now=past)
    tasks.tidy()
    tasks.tidy()
    grant.refresh_from_db()
    assert grant.state == GrantState.EXPIRED
    assert grants.expire(now=NOW) == 0


def test_roles_are_ensured_again_without_removing_local_additions(db: None) -> None:
    group = Group.objects.get(name=roles.CITIZEN)
    person = factories.make_person(role=roles.CITIZEN)
    group.permissions.add(factories.find_permission("catalog.add_domain"))
    group.permissions.remove(factories.find_permission("governance.propose_changerequest"))
    for _twice in range(2):
        receivers.ensure_roles(sender=apps.get_app_config("governance"), using="default")
    held = set(group.permissions.values_list("codename", flat=True))
    assert held == {"add_domain", "propose_changerequest"}
    assert access.allows(again(person), Action.DOMAIN_CREATE)


@pytest.mark.django_db
def test_event_types_are_found_by_the_new_title_of_their_topic() -> None:
    event_type = factories.make_event_type(topic=factories.make_topic(title="Parcels"))
    topics.change(event_type.topic, title="Shipments", by=factories.make_admin(), now=NOW)
    assert list(EventType.objects.matching("shipments")) == [event_type]
    assert not EventType.objects.matching("parcels").exists()
