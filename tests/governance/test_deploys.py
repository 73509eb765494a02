"""Deploy marks: who may set them, and where they are met again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.words import Environment
from delivery import failures
from delivery.models import FailureGroup
from governance import deploys, roles
from governance.governed import governed
from governance.states import Verb
from tests import factories
from tests.asking import make_machine, pointers
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db


def test_team_and_pipeline_mark_and_others_may_not() -> None:
    application = factories.make_application()
    owner = factories.make_person(team=application.team)
    now = timezone.now()
    where = Environment.PRODUCTION
    entry = deploys.mark(application, what=" 2.4.0 ", environment=where, by=owner, now=now)
    assert entry.after == {"what": "2.4.0", "environment": "production"}
    assert list(deploys.marks(application)) == [entry]
    for somebody in (factories.make_person(), factories.make_person(role=roles.SUPPORT)):
        with pytest.raises(PermissionDenied):
            deploys.mark(application, what="x", environment=where, by=somebody, now=now)


@pytest.mark.parametrize(
    ("what", "environment", "field"),
    [(" ", "production", "what"), ("x" * 121, "production", "what"), ("x", "moon", "environment")],
)
def test_what_cannot_be_marked_is_refused(what: str, environment: str, field: str) -> None:
    application = factories.make_application()
    by, now = factories.make_person(team=application.team), timezone.now()
    with pytest.raises(ValidationError) as refused:
        deploys.mark(application, what=what, environment=environment, by=by, now=now)
    assert list(refused.value.message_dict) == [field]
    assert not deploys.marks(application).exists()


def test_pipeline_marks_with_the_key_of_its_application() -> None:
    machine = make_machine()
    address = f"applications/{machine.application.slug}/deploys"
    made = machine.post(address, {"what": "commit 1f3c", "note": "New mapping."})
    assert made.status_code == 201
    assert made.json()["environment"] == "production"
    assert pointers(machine.post(address, {"what": ""})) == {"/what"}
    assert pointers(machine.post(address, {"what": "x", "environment": "staging"})) == {
        "/environment"
    }
    other = factories.make_application()
    assert machine.post(f"applications/{other.slug}/deploys", {"what": "x"}).status_code in (
        403,
        404,
    )


def test_page_marks_and_shows_the_latest() -> None:
    application = factories.make_application()
    client = signed_in(factories.make_person(team=application.team))
    mark = reverse("catalog:application-deployed", args=[application.slug])
    wrong = client.post(mark, {"what": "", "environment": "production", "note": "Typed."})
    assert wrong.status_code == 200
    assert "Typed." in text_of(wrong)
    assert client.post(mark, {"what": "2.4.0", "environment": "production"}).status_code == 302
    page = reverse("catalog:application-detail", args=[application.slug])
    assert "2.4.0" in text_of(client.get(page))
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert support.post(mark, {"what": "x", "environment": "production"}).status_code == 403


def test_failure_names_the_deploys_before_it() -> None:
    group = factories.make_failure_group()
    subscription = group.subscription
    publisher = factories.make_application("web-shop")
    factories.make_grant(publisher, topic=subscription.topic, verb=Verb.PUBLISH)
    stranger = factories.make_application("elsewhere")
    now = timezone.now()
    marks = [
        (subscription.application, "receiver 2", "production"),
        (publisher, "shop 7", "production"),
        (publisher, "shop 8", "staging"),
        (stranger, "other", "production"),
    ]
    for application, what, environment in marks:
        by = factories.make_person(team=application.team)
        deploys.mark(application, what=what, environment=environment, by=by, now=now)
    later = now + timedelta(minutes=1)
    with governed(by=None, now=later):
        FailureGroup.objects.filter(pk=group.pk).update(first_seen_at=later)
    found = FailureGroup.objects.with_names().get(pk=group.pk)
    named = {entry.after.get("what") for entry in failures.changes_before(found)}
    assert {"receiver 2", "shop 7"} <= named
    assert not {"shop 8", "other"} & named
