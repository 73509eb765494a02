"""The lock file, and what settings insist on in production."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from config import places
from tests.portal import command_environment

LOCK = (places.BASE_DIR / "requirements.lock").read_text()
RUNTIME, _, TESTS = LOCK.partition("# == what tests and lint need ==")
PROJECT = tomllib.loads((places.BASE_DIR / "pyproject.toml").read_text())["project"]

PRODUCTION = {
    "SIGNALBOX_ENV": "production",
    "SECRET_KEY": "Zk2vVJ0xq8sWc3eRtYuIoPaSdFgHjKlZxCvBnMqWeRtYuIoPaSdF",
    "FIELD_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "DATABASE_URL": "postgresql://signalbox@127.0.0.1:1/signalbox",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "ALLOWED_HOSTS": "signalbox.example.org",
    "PUBLIC_URL": "https://signalbox.example.org",
}


def pins(section: str) -> dict[str, str]:
    """Return each package with its lines, in pip's normal form of the name."""
    entries = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(.*(?:\n .*)*)", section, re.MULTILINE)
    return {normal(name): lines for name, lines in entries}


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_it_names_no_host_and_no_path() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^(-|/|\.)", LOCK, re.MULTILINE)
    assert " @ " not in LOCK


def test_every_pin_has_hashes() -> None:
    for name, lines in (pins(RUNTIME) | pins(TESTS)).items():
        assert "--hash=sha256:" in lines, name


def test_what_running_needs_stands_in_the_first_section() -> None:
    assert {normal(each) for each in PROJECT["dependencies"]} <= pins(RUNTIME).keys()


def test_what_tests_need_stands_in_one_of_both() -> None:
    wanted = {normal(each) for each in PROJECT["optional-dependencies"]["dev"]}
    assert wanted <= pins(LOCK).keys()
    assert not pins(RUNTIME).keys() & pins(TESTS).keys()


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "CELERY_BROKER_URL"]
)
def test_production_names_the_variable_that_is_missing(missing: str) -> None:
    done = check({name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode != 0
    assert f"Set {missing}" in done.stderr


def test_production_settings_pass_the_deployment_check() -> None:
    done = check(PRODUCTION, "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def check(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=places.BASE_DIR,
        env=command_environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
