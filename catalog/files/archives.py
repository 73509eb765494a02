"""Files in a zip archive or a folder. The same files make the same bytes, whenever and wherever."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

MAX_FILES = 20_000
MAX_BYTES = 64 * 1024 * 1024  # unpacked
CONTENT_TYPE = "application/zip"
PLACES = (
    "regions.yaml",
    "house-rules.yaml",
    "teams",
    "domains",
    "topics",
    "applications",
    "event-types",
)
_PATH = re.compile(r"[a-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the zero of zip's clock
_PLAIN_FILE = 0o644 << 16


class Unreadable(ValueError):
    """These are not the files of a catalog: the message says what to mend."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the files as a zip archive, by name, unpacked and undated."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            member.external_attr = _PLAIN_FILE
            member.create_system = 3  # Unix, wherever it is made
            archive.writestr(member, files[name])
    return target.getvalue()


def unpack(archive: bytes) -> dict[str, bytes]:
    """Return the files of a zip archive; a single folder around all of them is left out.

    Raises `Unreadable` for what is no archive, is too large, or names a place of no catalog.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = [one for one in opened.infolist() if not one.is_dir()]
            if len(members) > MAX_FILES or sum(one.file_size for one in members) > MAX_BYTES:
                raise Unreadable("The archive is too large.")
            found = {one.filename: _content(opened, one) for one in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise Unreadable(f"This is no zip archive that can be read: {error}.") from None
    return _checked(_without_folder(found))


def _content(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read one file, and never more of it than its entry says."""
    with opened.open(member) as file:
        return file.read(member.file_size)


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.split("/", 1)[0] for name in files}
    if len(tops) != 1 or tops <= set(PLACES):
        return files
    return {name.split("/", 1)[-1]: content for name, content in files.items()}


def _checked(files: dict[str, bytes]) -> dict[str, bytes]:
    kept = {name: content for name, content in files.items() if name.split("/")[0] in PLACES}
    for name in kept:
        if not _PATH.fullmatch(name):
            raise Unreadable(f"No file of a catalog has the name {name}.")
    if not kept:
        raise Unreadable("There is no file of a catalog in it.")
    return kept


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder; what stands beside the catalog's own places is passed over."""
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.is_symlink() or name.split("/")[0] not in PLACES:
            continue
        size += path.stat().st_size
        if size > MAX_BYTES or len(found) >= MAX_FILES:
            raise Unreadable("The folder is too large.")
        found[name] = path.read_bytes()
    return _checked(found)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make the catalog's places in the folder hold these files and no others."""
    for place in PLACES:
        for path in sorted((folder / place).rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(folder).as_posix() not in files:
                path.unlink()
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
