"""The official parser of AsyncAPI documents, installed from npm once and kept under `var/`."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config import places
from tests.brokers import program

PACKAGE = "@asyncapi/parser"
VERSION = "3.6.3"
INSTALL_SECONDS = 300
PARSE_SECONDS = 300
FOLDER = places.BASE_DIR / "var" / "npm" / f"asyncapi-parser-{VERSION}"

# Documents by name on standard input; by name what the parser says of each on standard output.
SCRIPT = """
const { Parser } = require('@asyncapi/parser');
const severities = ['error', 'warning', 'information', 'hint'];
const said = {};
(async () => {
  const documents = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  for (const [name, document] of Object.entries(documents)) {
    const { document: taken, diagnostics } = await new Parser().parse(document);
    said[name] = diagnostics.map((one) => ({
      severity: severities[one.severity], code: one.code, message: one.message,
      path: one.path.join('/'),
    }));
    if (!taken && !diagnostics.length) {
      said[name].push({ severity: 'error', code: 'nothing', message: 'not taken', path: '' });
    }
  }
  process.stdout.write(JSON.stringify(said));
})();
"""


@pytest.fixture(scope="session")
def parser() -> Path:
    """Return the folder of the installed parser; without npm skip, but fail in CI."""
    npm = program("npm")
    program("node")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "lock").open("w") as lock:  # tests may run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not FOLDER.exists():
            _install(npm)
    return FOLDER


def _install(npm: str) -> None:
    making = FOLDER.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    command = [
        npm, "install", "--prefix", str(making), "--no-package-lock", "--no-save",
        "--ignore-scripts", "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"npm could not install {PACKAGE}: {done.stderr[-2000:]}")
    making.rename(FOLDER)


def told(parser: Path, documents: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return what the parser says of each document: severity, code, message and path."""
    done = subprocess.run(
        [program("node"), "-e", SCRIPT],
        cwd=parser,
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        timeout=PARSE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    assert found.keys() == documents.keys()
    return found
