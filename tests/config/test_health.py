"""`/healthz` and `/readyz`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from tests.brokers import free_port


@pytest.fixture
def broker_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(tmp_path / "broker")}
    return tmp_path / "broker"


def test_living_process_says_so_without_a_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_folder")
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_those_who_watch_it_need_not_know_its_name(
    client: Client, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["signalbox.example.org"]
    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/sign-in", headers={"host": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_folder")
def test_ready_when_database_migrations_and_broker_are_there(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "broker": "ok"},
    }
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_broker_that_cannot_be_written_is_named(client: Client, broker_folder: Path) -> None:
    broker_folder.write_text("a file where the folder should be")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "broker": "failed: FileExistsError",
    }


@pytest.mark.django_db
def test_broker_that_does_not_answer_is_named(client: Client, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"].startswith("failed:")


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_folder")
def test_migration_that_is_not_applied_is_counted(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.content)["checks"]["migrations"] == "1 not applied"
