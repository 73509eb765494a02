"""Log lines as JSON objects: what happened, and the ids that lead to it.

Of what a line was given only the names below are written, and of an exception its kind and the
places in our code: what an error says may hold a payload or a secret.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

# What a line may be given with `extra`: identifiers and closed lists of words, never content.
FIELDS = (
    "event",
    "delivery",
    "subscription",
    "trace",
    "environment",
    "attempt",
    "status",
    "error_class",
    "duration_ms",
    "task",
)


class JsonFormatter(logging.Formatter):
    """One line of JSON for each record, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, tz=UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                line[name] = value if isinstance(value, int | float) else str(value)
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            frames = traceback.extract_tb(error.__traceback__)
            line["where"] = [f"{one.filename}:{one.lineno} {one.name}" for one in frames]
        return json.dumps(line, ensure_ascii=False)
