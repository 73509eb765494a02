"""What a test has sent to the workers: the messages that wait in its broker's folder."""

from __future__ import annotations

import json
from pathlib import Path

from tests.settings import RUN_DIR


def sent() -> list[str]:
    """Return the names of the tasks whose messages wait in the file-system broker."""
    folder: Path = RUN_DIR / "broker" / "queues" / "signalbox"
    return sorted(json.loads(path.read_text())["headers"]["task"] for path in folder.glob("*.json"))
