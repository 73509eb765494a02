"""Where a copy of Signalbox keeps what it makes while it runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Return the data folder: SIGNALBOX_DATA_DIR, else `var/` (for root `/var/lib/signalbox`).

    Root's data lies outside the checkout because PostgreSQL refuses to run as root: a user of its
    own must reach its files without every folder above the checkout being opened for it.
    """
    chosen = os.environ.get("SIGNALBOX_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path("/var/lib/signalbox") if os.geteuid() == 0 else BASE_DIR / "var"


def test_server_dir() -> Path:
    """Return the folder of the PostgreSQL that all test runs of this checkout share."""
    if os.geteuid() != 0:
        return BASE_DIR / "var" / "test"
    checkout = hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:8]
    return Path(f"/var/lib/signalbox-test-{checkout}")
