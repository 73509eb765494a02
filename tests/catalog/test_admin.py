"""The admin's forms call the verbs: what they write is in the ledger, what they refuse is said."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Application, Domain, EventType, Team, Topic, User
from catalog.words import ApplicationKind
from governance import roles
from governance.models import LedgerEntry, TopicGroupPermission, TopicUserPermission
from tests.administration import list_url, make_staff, page_url, sign_in
from tests.factories import (
    make_application,
    make_domain,
    make_event_type,
    make_grant,
    make_person,
    make_region,
    make_team,
    make_topic,
    make_version,
)

pytestmark = pytest.mark.django_db

TOPIC = {
    "title": "Orders",
    "description": "",
    "kind": "streaming",
    "batch_max_events": 100,
    "batch_max_bytes": 1_000_000,
    "batch_max_wait_seconds": "",
    "batch_times": "02:00",
    "batch_time_zone": "Europe/Berlin",
    "ordering_key": "",
    "criticality": "high",
    "retention_days": 30,
    "payload_ceiling_bytes": 1000,
    "field_case": "any",
}
NO_PERMISSIONS = {
    f"{name}-{count}": 0
    for name in ("topicuserpermission_set", "topicgrouppermission_set")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


@pytest.fixture
def admin(client: Client) -> Client:
    return sign_in(client, make_staff())


def add(client: Client, model: Any, **values: object) -> Any:
    return client.post(f"{list_url(model)}add/", values)


def actions() -> list[str]:
    return list(LedgerEntry.objects.values_list("action", flat=True))


def test_domain_is_added_and_changed_with_its_entry(admin: Client) -> None:
    team = make_team()
    add(admin, Domain, slug="sales", name="Sales", owner=team.pk, description="")
    domain = Domain.objects.get(slug="sales")
    response = admin.post(page_url(domain), {"name": "Shop", "owner": team.pk, "description": ""})
    assert response.status_code == 302
    newest = LedgerEntry.objects.all()[0]
    assert (newest.action, newest.before, newest.after) == (
        "domain:change",
        {"name": "Sales"},
        {"name": "Shop"},
    )


def test_topic_is_added_with_regions_that_exist(admin: Client) -> None:
    region, domain = make_region("eu"), make_domain()
    values = {**TOPIC, "name": "sales.orders", "domain": domain.pk, "owner": domain.owner.pk}
    response = add(admin, Topic, **values, regions=[region.code])
    assert response.status_code == 302
    assert Topic.objects.get(name="sales.orders").regions == ["eu"]


def test_what_the_verb_refuses_is_said_on_the_form(admin: Client) -> None:
    person = make_staff()
    client = sign_in(Client(), person)
    values = {"name": person.name, "email": person.email, "roles": [roles.ADMIN]}
    response = client.post(page_url(person), values)  # without `is_active`
    assert response.status_code == 200
    assert "Ask another admin to deactivate you." in response.content.decode()
    person.refresh_from_db()
    assert person.is_active


def test_topic_change_names_only_what_changed(admin: Client) -> None:
    topic = make_topic(title="Orders")
    values = {**TOPIC, "owner": topic.owner.pk, "title": "New orders", **NO_PERMISSIONS}
    response = admin.post(page_url(topic), values)
    assert response.status_code == 302
    entry = LedgerEntry.objects.all()[0]
    assert entry.action == "topic:change"
    assert entry.after["title"] == "New orders"
    assert "name" not in entry.after


def test_topic_shows_whom_guardian_lets_in(admin: Client) -> None:
    topic, application, team = make_topic(), make_application(), make_team()
    make_grant(application, topic=topic)
    make_grant(team, topic=topic)
    assert TopicUserPermission.objects.exists()
    assert TopicGroupPermission.objects.exists()
    page = admin.get(page_url(topic)).content.decode()
    assert application.service_account.name in page
    assert team.group.name in page
    assert "Can subscribe to topic in production" in page


def test_event_type_is_added_and_found(admin: Client) -> None:
    topic = make_topic()
    values = {
        "name": "com.acme.sales.order.created",
        "topic": topic.pk,
        "title": "Order created",
        "tags": "orders, shop",
        "compatibility_mode": "BACKWARD",
        "compatibility_policy": "lenient",
    }
    assert add(admin, EventType, **values).status_code == 302
    made = EventType.objects.get()
    assert made.tags == ["orders", "shop"]
    assert list(EventType.objects.matching("order")) == [made]


def test_application_is_registered_with_its_account(admin: Client) -> None:
    team, region = make_team(), make_region()
    values = {"name": "Order sheet", "kind": ApplicationKind.N8N, "description": ""}
    response = add(admin, Application, **values, team=team.pk, region=region.pk)
    assert response.status_code == 302
    assert Application.objects.get().service_account.groups.get() == team.group
    assert actions()[0] == "application:register"


def test_versions_are_only_shown(admin: Client) -> None:
    version = make_version(event_type=make_event_type())
    assert admin.get(page_url(version)).status_code == 200
    assert admin.post(page_url(version), {"document": "{}"}).status_code == 403


def test_team_members_come_and_go_by_the_verbs(admin: Client) -> None:
    team, old, new = make_team(), make_person(), make_person()
    old.groups.add(team.group)
    values = {"name": team.name, "description": "", "email": "", "members": [new.pk]}
    assert admin.post(page_url(team), values).status_code == 302
    assert list(team.group.user_set.all()) == [new]
    assert actions().count("team:change") == 2


def test_person_is_added_with_a_role(admin: Client) -> None:
    values = {"username": "ada", "name": "Ada", "email": "", "roles": [roles.SUPPORT]}
    assert add(admin, User, **values).status_code == 302
    ada = User.objects.get(username="ada")
    assert (ada.is_staff, ada.has_usable_password()) == (True, False)
    assert ada.groups.get().name == roles.SUPPORT


def test_taking_the_last_staff_role_closes_the_admin(admin: Client) -> None:
    person = make_staff(roles.SUPPORT)
    values = {"name": person.name, "email": person.email, "is_active": "on"}
    assert admin.post(page_url(person), values).status_code == 302
    person.refresh_from_db()
    assert not person.is_staff
    entry = LedgerEntry.objects.filter(action="role:change")[0]
    assert (entry.before, entry.after) == (
        {"role": roles.SUPPORT, "is_staff": True},
        {"is_staff": False},
    )


def test_person_is_deactivated_and_not_deleted(admin: Client) -> None:
    person = make_person()
    admin.post(page_url(person), {"name": person.name, "email": person.email})
    person.refresh_from_db()
    assert not person.is_active
    assert admin.post(page_url(person, "delete"), {"post": "yes"}).status_code == 403


def test_nobody_sees_a_password_hash(admin: Client) -> None:
    person = make_person()
    page = admin.get(page_url(person)).content.decode()
    assert person.password not in page


def test_password_is_set_without_naming_it(admin: Client) -> None:
    person = make_person()
    values = {"action": "set_password", "_selected_action": str(person.pk), "confirmed": "yes"}
    response = admin.post(list_url(User), {**values, "password": "a long and odd one"})
    assert response.status_code == 302
    person.refresh_from_db()
    assert person.check_password("a long and odd one")
    assert LedgerEntry.objects.all()[0].after == {"password": "set"}


def test_history_is_shown_and_never_put_back(admin: Client) -> None:
    domain = make_domain(name="Sales")
    admin.post(page_url(domain), {"name": "Shop", "owner": domain.owner.pk, "description": ""})
    page = admin.get(page_url(domain, "history")).content.decode()
    assert "Sales → Shop" in page
    snapshot = domain.history.last()
    url = f"{page_url(domain, 'history')}{snapshot.pk}/"
    assert admin.get(url).status_code == 200
    assert admin.post(url, {"name": "Sales"}).status_code == 403


def test_support_looks_and_changes_nothing_in_the_catalog(client: Client) -> None:
    sign_in(client, make_staff(roles.SUPPORT))
    topic = make_topic()
    assert client.get(page_url(topic)).status_code == 200
    assert client.post(page_url(topic), {"title": "Mine"}).status_code == 403
    assert client.get(f"{list_url(Team)}add/").status_code == 403


def test_log_of_django_itself_stays_empty(admin: Client) -> None:
    from django.contrib.admin.models import LogEntry  # noqa: PLC0415 - named only here

    add(admin, Domain, slug="sales", name="Sales", owner=make_team().pk, description="")
    assert not LogEntry.objects.exists()
