"""Secrets of a local copy: made once, kept in files that only their owner can read.

Production has no such files: there the environment says each secret, or nothing starts.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from secrets import token_urlsafe

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


def local(data_dir: Path, name: str, *, is_production: bool) -> str:
    """Return the secret `name` of this data folder, made at the first call.

    Two processes that ask at the same moment get the same value. `FIELD_ENCRYPTION_KEYS` is a
    Fernet key, every other one URL-safe text of 256 bits or more. Raises ImproperlyConfigured in
    production, or when the folder cannot be written.
    """
    if is_production:
        raise ImproperlyConfigured(f"Set {name}: production settings have no default for it.")
    path = data_dir / "secrets" / name
    try:
        return read(path) if path.exists() else _make(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"Set {name}, or let this user write {data_dir} (SIGNALBOX_DATA_DIR): {error}"
        ) from error


def read(path: Path) -> str:
    """Return what the file at `path` holds, without the line's end."""
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    value = _new(path.name)
    # mkstemp makes it 0600; the link appears whole and only for the first of two rivals.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return read(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return value


def _new(name: str) -> str:
    if name == "FIELD_ENCRYPTION_KEYS":
        return Fernet.generate_key().decode("ascii")
    return token_urlsafe(48)
