"""A PostgreSQL of the bench's own, safe against power cuts as a real one, in a folder that goes."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg


@cache
def ensure() -> Path:
    """Start the server, set Django up on it and migrate, once a process; return the data folder.

    Children find it through the environment. With DATABASE_URL set, that database is used.
    """
    folder = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    (folder / "static").mkdir()  # WhiteNoise warns where it is missing
    os.environ["SIGNALBOX_DATA_DIR"] = str(folder)
    os.environ.setdefault("DELIVERY_ALLOWED_NETWORKS", "127.0.0.0/8")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from config import embedded  # noqa: PLC0415 - its folder is named by the environment above

    if not os.environ.get("DATABASE_URL"):
        lease = embedded.ensure_running(folder)
        atexit.register(_end, folder, lease)
    import django  # noqa: PLC0415 - the database must answer first
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    return folder


@contextlib.contextmanager
def beside(name: str) -> Iterator[None]:
    """Work on a database of this name in the block, with all processes that are started there.

    It is made at first use, as a copy of the one that `ensure` made; nobody may use that then.
    """
    from django.db import connection  # noqa: PLC0415 - set up by now

    from delivery import knowledge  # noqa: PLC0415
    from tests import brokers  # noqa: PLC0415

    original, url = connection.settings_dict["NAME"], os.environ.get("DATABASE_URL")
    connection.close()
    maintenance = {**knowledge.own_connection(), "dbname": "postgres"}
    with psycopg.connect(**maintenance, autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = brokers.database_url()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original
        os.environ.pop("DATABASE_URL")
        if url is not None:
            os.environ["DATABASE_URL"] = url


def _end(folder: Path, lease: object) -> None:
    from django.db import connections  # noqa: PLC0415 - set up by now

    connections.close_all()
    lease.release()  # type: ignore[attr-defined]  # config.embedded.Lease
    shutil.rmtree(folder, ignore_errors=True)
