"""Secrets of a local copy."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config import secrets


def test_secret_is_made_once_and_stays(tmp_path: Path) -> None:
    first = secrets.local(tmp_path, "SECRET_KEY", is_production=False)
    assert len(first) >= 50  # Django's own check asks for this
    assert secrets.local(tmp_path, "SECRET_KEY", is_production=False) == first


def test_each_secret_is_its_own(tmp_path: Path) -> None:
    one = secrets.local(tmp_path, "SECRET_KEY", is_production=False)
    assert secrets.local(tmp_path, "DATABASE_PASSWORD", is_production=False) != one


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    secrets.local(tmp_path, "SECRET_KEY", is_production=False)
    folder = tmp_path / "secrets"
    assert stat.S_IMODE((folder / "SECRET_KEY").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_rivals_get_the_same_one_and_leave_no_drafts(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as rivals:
        asked = [
            rivals.submit(secrets.local, tmp_path, "SECRET_KEY", is_production=False)
            for _ in range(16)
        ]
    assert len({each.result() for each in asked}) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["SECRET_KEY"]


def test_encryption_key_is_one_that_fernet_takes(tmp_path: Path) -> None:
    key = secrets.local(tmp_path, "FIELD_ENCRYPTION_KEYS", is_production=False)
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"endpoint secret")) == b"endpoint secret"


def test_production_names_what_is_missing_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        secrets.local(tmp_path, "SECRET_KEY", is_production=True)
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"SIGNALBOX_DATA_DIR"):
        secrets.local(tmp_path / "file", "SECRET_KEY", is_production=False)
