"""Runs a Django command with the database that it needs."""

from __future__ import annotations

import argparse
import os
import sys

from django.core.management import execute_from_command_line
from django.db import connections

from config import embedded, places

# These never touch the database, or (`up`) start it themselves.
WITHOUT_DATABASE = frozenset(
    {
        "", "--help", "-h", "help", "--version", "version", "check", "collectstatic",
        "compilemessages", "makemessages", "demo_receiver", "diffsettings", "startapp", "up",
    }
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Run `argv` as Django's command line; the embedded PostgreSQL is joined for as long."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = argv[1] if len(argv) > 1 else ""
    if command == "up" and (folder := _data_dir_option(argv[2:])):
        os.environ["SIGNALBOX_DATA_DIR"] = folder  # settings read it, before Django's own parsing
    lease = None
    if command not in WITHOUT_DATABASE and "--help" not in argv and uses_embedded():
        lease = embedded.ensure_running(places.data_dir(), say=_say)
    try:
        execute_from_command_line(argv)
    finally:
        if lease:
            connections.close_all()
            lease.release()
    return 0


def uses_embedded() -> bool:
    """Tell whether this process uses the embedded database: never in production."""
    return os.environ.get("SIGNALBOX_ENV") != "production" and not os.environ.get("DATABASE_URL")


def _data_dir_option(arguments: list[str]) -> str | None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data-dir")
    folder: str | None = parser.parse_known_args(arguments)[0].data_dir
    return folder


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
