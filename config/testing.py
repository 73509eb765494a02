"""`manage.py test`: the test suite, with the system's programs that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import places

# Program: the Debian package that has it, and what is tested with it.
PROGRAMS = {
    "chromium": ("chromium", "pages, in a real browser"),
    "redis-server": ("redis-server", "Redis as the broker"),
    "rabbitmq-server": ("rabbitmq-server", "RabbitMQ as the broker"),
    "npm": ("npm", "AsyncAPI documents, with the official parser"),
}
OTHER_NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
# Half of the run is waiting for real processes, so two at once take little more than half the time.
SIDE_BY_SIDE = ["--numprocesses=2", "--no-loadscope-reorder"]
# Where Debian puts programs that an ordinary user's PATH leaves out.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def main(arguments: list[str]) -> int:
    """Run pytest with `arguments`, or without any on the whole suite; return its exit status."""
    os.chdir(places.BASE_DIR)
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    missing = [name for name in PROGRAMS if find(name) is None]
    if missing:
        _install(missing)
    return int(pytest.main(["--ds=tests.settings", *(arguments or SIDE_BY_SIDE)]))


def find(program: str) -> str | None:
    """Return the path of a program that tests need, or nothing when it is not installed."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    names = OTHER_NAMES.get(program, (program,))
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def _install(missing: list[str]) -> None:
    packages = [PROGRAMS[name][0] for name in missing]
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        for name in missing:
            _say(f"{name} is not installed: the tests of {PROGRAMS[name][1]} are skipped.")
        _say(f"On Debian or Ubuntu: sudo apt-get install {' '.join(packages)}")
        return
    _say(f"Installing {', '.join(packages)} …")
    policy = _without_autostart()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        install = ["install", "-qq", "-y", "--no-install-recommends", *packages]
        for step in (["update", "-qq"], install):
            subprocess.run(
                [apt, *step], env=quiet, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr
            )
    finally:
        if policy:
            policy.unlink()


def _without_autostart() -> Path | None:
    """Keep Debian from starting servers: the tests start their own; return what to remove."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        return None
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    return policy


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
