"""A scrape names what waits, what fails and what was counted."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import yaml
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries

from config import metrics
from delivery.models import QueueRow, Rollup
from delivery.models.counts import Grain
from governance.models import ChangeRequest
from governance.states import ChangeState
from tests import factories
from tests.delivery.rolled import count


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.delete(metrics.CACHE_KEY)


def _values(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.django_db
def test_scrape_of_an_empty_copy_is_all_zero(client: Client) -> None:
    values = _values(client)
    assert values["signalbox_deliveries_owed", ("owed",)] == 0
    assert values["signalbox_oldest_owed_seconds", ()] == 0
    assert values["signalbox_published_total", ("production",)] == 0


@pytest.mark.django_db
def test_scrape_counts_what_is_owed_and_what_was_published(client: Client) -> None:
    delivery = factories.make_delivery()
    QueueRow.objects.update_or_create(
        delivery_id=delivery.pk,
        defaults={
            "subscription_id": delivery.subscription_id,
            "event_id": delivery.event_id,
            "due_at": timezone.now(),
            "attempts": 2,
        },
    )
    Rollup.objects.create(
        grain=Grain.DAY,
        at=timezone.now().replace(hour=0, minute=0, second=0, microsecond=0),
        environment="production",
        topic_id=delivery.subscription.topic_id,
        published=7,
    )
    values = _values(client)
    assert values["signalbox_deliveries_owed", ("owed",)] == 1
    assert values["signalbox_deliveries_owed", ("retrying",)] == 1
    assert values["signalbox_published_total", ("production",)] == 7


@pytest.mark.django_db
def test_scrapes_that_follow_at_once_share_what_was_read(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/metrics")
    with django_assert_num_queries(0):
        assert client.get("/metrics").status_code == 200


@pytest.mark.django_db
def test_latency_is_a_histogram_that_adds_up(client: Client) -> None:
    subscription = factories.make_subscription()
    count(subscription, delivered=4, latency_counts=[1, 0, 2, *[0] * 13, 1], errors={"dns": 3})
    Rollup.objects.filter(grain=Grain.HOUR).update(grain=Grain.DAY)
    values = _values(client)
    name = "signalbox_delivery_latency_seconds_bucket"
    reached = [values[name, ("production", le)] for le in ("0.01", "0.025", "0.05", "+Inf")]
    assert reached == [1, 1, 3, 4]
    assert values["signalbox_attempt_errors_total", ("production", "dns")] == 3


@pytest.mark.django_db
def test_reviews_that_wait_and_the_time_to_a_decision_are_counted(client: Client) -> None:
    now = timezone.now()
    waiting, decided = factories.make_change_request(), factories.make_change_request()
    rows = ChangeRequest.objects
    assert ("signalbox_change_decision_seconds", ("median",)) not in _values(client)
    rows.filter(pk=waiting.pk).update(due_at=now - timedelta(hours=1))
    rows.filter(pk=decided.pk).update(
        state=ChangeState.APPROVED, opened_at=now - timedelta(hours=2), decided_at=now
    )
    cache.delete(metrics.CACHE_KEY)
    values = _values(client)
    assert values["signalbox_changes_in_review", ("waiting",)] == 1
    assert values["signalbox_changes_in_review", ("late",)] == 1
    assert values["signalbox_change_decision_seconds", ("median",)] == 2 * 3600


DEPLOYED = ("grafana-dashboard.json", "alerts.yaml")


def _deployed(name: str) -> str:
    return (settings.BASE_DIR / "config" / "deploy" / name).read_text()


@pytest.mark.django_db
@pytest.mark.parametrize("name", DEPLOYED)
def test_every_metric_that_is_drawn_or_watched_is_exported(client: Client, name: str) -> None:
    count(factories.make_subscription(), errors={"dns": 3})
    Rollup.objects.filter(grain=Grain.HOUR).update(grain=Grain.DAY)
    exported = {metric for metric, _labels in _values(client)}
    named = set(re.findall(r"\bsignalbox_[a-z_]+", _deployed(name)))
    assert named
    assert named - exported == set()


def test_dashboard_draws_every_panel_by_a_query() -> None:
    board = json.loads(_deployed("grafana-dashboard.json"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    assert all(panel["title"] for panel in panels)


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    groups = yaml.safe_load(_deployed("alerts.yaml"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 6
    for rule in rules:
        assert {"expr", "for", "labels", "annotations"} <= rule.keys()
        assert {"summary", "description"} <= rule["annotations"].keys()


def test_metrics_are_documented_where_they_are_described() -> None:
    page = (settings.BASE_DIR / "templates" / "governance" / "help" / "run.md").read_text()
    documented = set(re.findall(r"`(signalbox_[a-z_]+)`", page))
    watched = {
        name for one in DEPLOYED for name in re.findall(r"\bsignalbox_[a-z_]+", _deployed(one))
    }
    assert {name.removesuffix("_bucket") for name in watched} <= documented
