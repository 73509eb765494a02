"""Settings of the test run: the product's own, on a database and folders of this run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from config import embedded, places

# Workers and servers that a test starts are given the same folder by `tests.conftest`.
RUN_DIR = Path(tempfile.mkdtemp(prefix="signalbox-tests-"))
os.environ["SIGNALBOX_DATA_DIR"] = str(RUN_DIR)
(RUN_DIR / "static").mkdir()  # WhiteNoise warns where it is missing
_OWN_URL = embedded.database_url(places.test_server_dir())
# A process of the run that another started inherits what that one set.
USES_EMBEDDED = os.environ.get("DATABASE_URL", "") in ("", _OWN_URL)
os.environ["DATABASE_URL"] = _OWN_URL if USES_EMBEDDED else os.environ["DATABASE_URL"]

from config.settings import *  # noqa: E402, F403 - after the environment that it reads
from config.settings import DATABASES  # noqa: E402 - named, so that it can be changed

DATABASES["default"]["ENGINE"] = "tests.emptied"
# Several runs share one server; each has a database of its own.
DATABASES["default"]["TEST"] = {"NAME": f"test_signalbox_{os.getpid()}"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Passwords in tests are not worth 0.3 s each.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Its own tests turn it on; elsewhere a fixture's wrong password must not lock the next test out.
AXES_ENABLED = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
