"""A PostgreSQL of the bench's own, safe against power cuts as a real one, in a folder that goes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def ensure() -> Path:
    """Start the server, set Django up on it and migrate, once a process; return the data folder.

    Children find it through the environment. With DATABASE_URL set, that database is used.
    """
    folder = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
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


def _end(folder: Path, lease: object) -> None:
    from django.db import connections  # noqa: PLC0415 - set up by now

    connections.close_all()
    lease.release()  # type: ignore[attr-defined]  # config.embedded.Lease
    shutil.rmtree(folder, ignore_errors=True)
