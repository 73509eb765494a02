#!/usr/bin/env python3
"""Run Signalbox and its commands: `python3 manage.py up`, `test`, `migrate`, …

Needs only Python ≥ 3.11: the first call makes a virtual environment under `var/` from the lock file
and goes on inside it. Later calls compare a digest and lose no time. Everything up to the line that
says so uses the standard library only.

With SIGNALBOX_NO_VENV=1, or in an active virtual environment that has Django, it changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLDEST_PYTHON = (3, 11)
BASE_DIR = Path(__file__).resolve().parent
LOCK = BASE_DIR / "requirements.lock"
# What stands above this line is all that running needs; config/deploy/lock writes it.
TEST_HEADING = "# == what tests and lint need =="
VENV = BASE_DIR / "var" / "venv"
VENV_PYTHON = VENV / "bin" / "python"


def main() -> int:
    """Make the environment if need be, then run the command in it."""
    if sys.version_info < OLDEST_PYTHON:
        sys.stderr.write("Signalbox needs Python 3.11 or newer: run it with that one.\n")
        return 1
    arguments = sys.argv[1:]
    is_test = arguments[:1] == ["test"]
    if not is_ready_here():
        ensure_environment(with_tests=is_test)
        if Path(sys.prefix) != VENV:
            os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - ourselves
    # From here on the packages are there.
    if is_test:
        from config import testing

        return testing.main(arguments[1:])
    from config import entry

    return entry.main(sys.argv)


def is_ready_here() -> bool:
    """Tell whether this interpreter is to be used as it is."""
    if os.environ.get("SIGNALBOX_NO_VENV") == "1":
        return True
    is_other_venv = sys.prefix != sys.base_prefix and Path(sys.prefix) != VENV
    return is_other_venv and importlib.util.find_spec("django") is not None


def ensure_environment(*, with_tests: bool) -> None:
    """Install what the lock file pins, unless a stamp says that it was; one process at a time."""
    wanted = digest(with_tests=True), digest(with_tests=False)
    acceptable = wanted[:1] if with_tests else wanted
    stamp = VENV / "signalbox-lock"
    if stamp.exists() and stamp.read_text() in acceptable and VENV_PYTHON.exists():
        return
    VENV.parent.mkdir(exist_ok=True)
    with (VENV.parent / "bootstrap.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() in acceptable and VENV_PYTHON.exists():
            return
        say(f"Installing the packages of requirements.lock into {VENV} …")
        if not has_pip():
            make_venv()
        # A test environment stays one: `up` after a changed lock must not leave half of it old.
        with_tests = with_tests or (stamp.exists() and (VENV / "bin" / "pytest").exists())
        install(pinned(with_tests=with_tests))
        stamp.write_text(digest(with_tests=with_tests))


def has_pip() -> bool:
    """Tell whether the environment stands and can install: an interrupted one may not."""
    if not VENV_PYTHON.exists():
        return False
    found = subprocess.run(
        [VENV_PYTHON, "-m", "pip", "--version"], capture_output=True, check=False
    )
    return found.returncode == 0


def make_venv() -> None:
    """Make the empty environment; on Debian as root, with the package that Python lacks there."""
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"This Python cannot make virtual environments; installing python{version}-venv …")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-qq", "-y", f"python{version}-venv"]):
            subprocess.run(
                ["apt-get", *step],
                env=quiet,
                check=False,
                stdout=sys.stderr,
                stdin=subprocess.DEVNULL,
            )
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        sys.exit(
            "No virtual environment could be made. Install Python's venv module (on Debian and "
            f"Ubuntu: apt-get install python{version}-venv) and run this again."
        )


def install(requirements: str) -> None:
    """Install exactly these pinned packages; a file whose hash differs is refused by pip."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        done = subprocess.run(
            [
                VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                "--no-input", "--require-hashes", "-r", file.name,
            ],
            check=False,
            stdout=sys.stderr,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    if done.returncode:
        sys.exit("The packages could not be installed; what pip said stands above.")


def pinned(*, with_tests: bool) -> str:
    """Return the part of the lock file that is to be installed."""
    text = LOCK.read_text()
    return text if with_tests else text.split(TEST_HEADING)[0]


def digest(*, with_tests: bool) -> str:
    """Return what the stamp says after these pins are installed."""
    return hashlib.sha256(pinned(with_tests=with_tests).encode()).hexdigest()


def say(text: str) -> None:
    """Tell the person at the terminal; standard output is left to the command."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
