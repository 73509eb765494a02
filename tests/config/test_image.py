"""The image without an engine for it: its files, steps, health check and services."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml
from uvicorn.middleware.proxy_headers import _TrustedHosts

from config import places
from tests.brokers import free_port
from tests.portal import command_environment

DEPLOY = places.BASE_DIR / "config" / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
EXAMPLE = (DEPLOY / ".env.example").read_text()
PROGRAMS = Path(sys.executable).parent
START_SECONDS = 60


def instruction(name: str) -> str:
    """Return the arguments of the Dockerfile's only instruction of that name."""
    (found,) = re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)
    return str(found)


def fixed_environment(*, data_dir: Path) -> dict[str, str]:
    named = dict(re.findall(r"(\w+)=(\S+)", instruction("ENV")))
    return {
        **named,
        "SIGNALBOX_DATA_DIR": str(data_dir),
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
    }


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the files that the image gets."""
    folder = tmp_path_factory.mktemp("image") / "signalbox"
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    names = [one.removeprefix("**/") for one in left_out]
    shutil.copytree(places.BASE_DIR, folder, ignore=shutil.ignore_patterns(*names))
    (folder.parent / "data").mkdir()
    yield folder
    shutil.rmtree(folder.parent)


def test_its_steps_run_and_its_health_check_answers(image: Path) -> None:
    fixed = fixed_environment(data_dir=image.parent / "data")
    (step,) = re.findall(r"^RUN (SECRET_KEY=.*?) *&&", DOCKERFILE, re.MULTILINE)
    environment = {**command_environment(), **fixed}
    done = subprocess.run(
        step, shell=True, cwd=image, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list((image.parent / "data").rglob("*.css"))

    wanted = re.findall(r"^(\w+)=(\S*)$", EXAMPLE, re.MULTILINE)
    secrets = {"SECRET_KEY": "k" * 50, "FIELD_ENCRYPTION_KEYS": "A" * 43 + "="}
    secrets["DATABASE_URL"] = "postgresql://signalbox@127.0.0.1:1/signalbox"
    port = str(free_port())
    command = [port if one == "8000" else one for one in json.loads(instruction("CMD"))]
    check = json.loads(re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[0])
    check = [one.replace(":8000/", f":{port}/") for one in check]
    with (image.parent / "said").open("w+") as said:
        web = subprocess.Popen(
            command, cwd=image, env={**environment, **dict(wanted), **secrets},
            stdout=said, stderr=said,
        )  # fmt: skip
        try:
            until = time.monotonic() + START_SECONDS
            while (answer := asked(check, environment)).returncode and time.monotonic() < until:
                assert web.poll() is None, (image.parent / "said").read_text()
            assert answer.returncode == 0, answer.stderr + (image.parent / "said").read_text()
        finally:
            web.terminate()
            web.wait(30)


def asked(check: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(check, env=environment, capture_output=True, text=True, check=False)


def test_every_service_starts_what_is_there() -> None:
    services = COMPOSE["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "signalbox"}
    assert set(ours) == {"migrate", "web", "worker", "beat"}
    for name, one in ours.items():
        context = (DEPLOY / one["build"]["context"]).resolve()
        assert (context / one["build"]["dockerfile"]).is_file(), name
        assert set(one["depends_on"]) <= set(services), name
        for command in commands(one.get("command", [])):
            assert shutil.which(command[0], path=str(PROGRAMS)), (name, command)
            if command[:2] == ["python", "manage.py"]:
                assert is_command(command[2]), command


def commands(given: list[str]) -> list[list[str]]:
    if given[:2] == ["sh", "-c"]:
        return [shlex.split(one) for one in given[2].split("&&")]
    return [given] if given else []


def is_command(name: str) -> bool:
    from django.core.management import get_commands  # noqa: PLC0415 - once the apps are loaded

    return name in get_commands()


def test_the_example_names_every_variable_that_compose_insists_on() -> None:
    insisted = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    named = set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
    assert insisted
    assert insisted <= named


def test_the_example_trusts_the_proxy_where_compose_lets_it_come_from() -> None:
    (trusted,) = re.findall(r"^FORWARDED_ALLOW_IPS=(.*)$", EXAMPLE, re.MULTILINE)
    assert [{"subnet": trusted}] == COMPOSE["networks"]["default"]["ipam"]["config"]
    gateway = str(next(ip_network(trusted).hosts()))
    assert gateway in _TrustedHosts(trusted)
