"""The house stands as designed: layers, rings, names; each failure names the offender."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from catalog import history

ROOT = Path(__file__).resolve().parent.parent
APPS = ("catalog", "governance", "delivery")
# Design, section 2: core imports core of its own or a lower app; shell imports any core, and shell
# of its own or a lower app; nobody imports `config`.
BELOW = {
    "catalog": {"catalog"},
    "governance": {"catalog", "governance"},
    "delivery": {"catalog", "governance", "delivery"},
}
# Shell by what it does, whatever its name.
SHELL_MODULES = {
    "delivery/waking.py",  # sends wake-ups to the broker on commit
}
SHELL_PREFIXES = (
    "views",
    "pages",
    "forms",
    "urls",
    "admin",
    "api",
    "apps",
    "tasks",
    "receivers",
    "templatetags",
    "management",
    "middleware",
    "context_processors",
    "asgi",
    "session",
)
FORBIDDEN_NAMES = {"services", "utils", "helpers", "common", "manager", "managers", "misc", "util"}
SHELL_LIBRARIES = {"celery", "rest_framework", "drf_spectacular", "kombu"}
# Only these ask guardian, `has_perm` and `is_superuser` (style, rule 8).
ACCESS = "governance/access/"
GUARDIAN_NAMES = {"has_perm", "has_perms", "has_module_perms", "is_superuser"}


def modules(app: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.relative_to(ROOT).parts
    ]


ALL = [path for app in APPS for path in modules(app)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_shell(path: Path) -> bool:
    """Tell by a module's place in its app: `api_keys.py`, `pages/grants.py`, `urls.py`."""
    if name_of(path) in SHELL_MODULES:
        return True
    first = path.relative_to(ROOT).parts[1].removesuffix(".py")
    return any(first == word or first.startswith(f"{word}_") for word in SHELL_PREFIXES) or any(
        first.endswith(f"_{word}") for word in SHELL_PREFIXES
    )


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything imported, inside functions too, types left out."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: -node.level]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, but for what only a type checker runs."""
    for child in ast.iter_child_nodes(node):
        if is_for_types(child):
            continue
        yield child
        yield from walk(child)


def target_of(dotted: str) -> Path | None:
    """Return the module of ours that an import names, or None."""
    parts = dotted.split(".")
    if parts[0] not in APPS:
        return None
    for length in (len(parts), len(parts) - 1):
        place = ROOT.joinpath(*parts[:length])
        if place.with_suffix(".py").exists():
            return place.with_suffix(".py")
        if (place / "__init__.py").exists() and length > 0:
            return place / "__init__.py"
    return None


def assert_none(offenders: list[str]) -> None:
    assert not offenders, "\n" + "\n".join(offenders)


def test_imports_run_one_way() -> None:
    offenders = []
    for path in ALL:
        app = path.relative_to(ROOT).parts[0]
        for line, dotted in imports(path):
            root, target = dotted.split(".")[0], target_of(dotted)
            is_upward = root in {*APPS, "config", "tests"} - BELOW[app]
            is_core = target is not None and not is_shell(target)
            if is_upward and not (is_shell(path) and is_core):
                offenders.append(f"{name_of(path)}:{line} imports {dotted}")
    assert_none(offenders)


def test_core_never_imports_shell() -> None:
    offenders = []
    for path in ALL:
        if is_shell(path):
            continue
        for line, dotted in imports(path):
            target = target_of(dotted)
            if target is not None and is_shell(target):
                offenders.append(f"{name_of(path)}:{line} (core) imports {dotted} (shell)")
    assert_none(offenders)


# The words that every machine door answers with.
SPEAKS_HTTP = {"catalog/problems.py"}


def test_core_knows_neither_celery_nor_the_api_framework() -> None:
    assert_none(
        [
            f"{name_of(path)}:{line} imports {dotted}"
            for path in ALL
            if not is_shell(path) and name_of(path) not in SPEAKS_HTTP
            for line, dotted in imports(path)
            if dotted.split(".")[0] in SHELL_LIBRARIES
        ]
    )


def test_nobody_is_called_utils() -> None:
    assert_none([name_of(path) for path in ALL if path.stem in FORBIDDEN_NAMES])


def test_only_access_asks_guardian() -> None:
    offenders = []
    for path in ALL:
        name = name_of(path)
        # The guarded classes of the Django admin are the other place (style, rule 8).
        if name.startswith(ACCESS) or "admin" in path.stem or "admin" in path.parts:
            continue
        if name == "governance/models/permissions.py":  # defines guardian's tables for topics
            continue
        offenders += [
            f"{name}:{line} imports {dotted}"
            for line, dotted in imports(path)
            if dotted.split(".")[0] == "guardian"
        ]
        offenders += [
            f"{name}:{node.lineno} uses {node.attr}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Attribute) and node.attr in GUARDIAN_NAMES
        ]
    assert_none(offenders)


def test_core_does_not_read_the_clock() -> None:
    """`now` is read once, at the edge; `access` asks it for questions that name no moment."""
    allowed = {
        "governance/access/questions.py",
        "delivery/reading.py",  # a cache that reads itself anew every half second
    }
    offenders = []
    for path in ALL:
        if is_shell(path) or name_of(path) in allowed:
            continue
        offenders += [
            f"{name_of(path)}:{node.lineno} reads the clock"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func) in {"timezone.now", "datetime.now", "datetime.utcnow"}
        ]
    assert_none(offenders)


TRACKED = {
    model.__name__: set(model._snapshots.excluded_fields)  # type: ignore[attr-defined]
    for model in apps.get_models()
    if history.is_tracked(model)
}
INVISIBLE = {"update", "bulk_update", "bulk_create", "aupdate", "abulk_update", "abulk_create"}
# The one writer of states, which takes the snapshot itself.
WRITES_SNAPSHOTS = {"catalog/moves.py"}


def model_of(call: ast.Call) -> str:
    """Return the name at the root of `Name.objects.filter(…).update(…)`, or ""."""
    node: ast.AST = call.func
    while True:
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.attr.endswith("objects"):
                return node.value.id
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""


@pytest.mark.parametrize("app", APPS)
def test_tracked_models_are_not_changed_behind_their_history(app: str) -> None:
    """An UPDATE statement takes no snapshot; columns that history leaves out may be written so."""
    offenders = []
    for path in modules(app):
        if name_of(path) in WRITES_SNAPSHOTS:
            continue
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            model = model_of(node)
            if node.func.attr not in INVISIBLE or model not in TRACKED:
                continue
            written = {keyword.arg for keyword in node.keywords}
            if node.func.attr != "update" or not written <= TRACKED[model] or not written:
                offenders.append(f"{name_of(path)}:{node.lineno} {model}…{node.func.attr}(…)")
    assert_none(offenders)


def test_rule_finds_an_offender() -> None:
    """The reader of syntax trees itself works."""
    call = ast.parse("Grant.objects.filter(a=1).exclude(b=2).update(state='x')").body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert model_of(call.value) == "Grant"
    assert "Grant" in TRACKED


def asks(function: ast.FunctionDef) -> bool:
    """Tell whether a function asks for permission."""
    called = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    return "access.require" in called


def test_every_verb_of_a_person_asks_for_permission() -> None:
    """A public function of governance that takes `by` and `now` and writes must ask itself."""
    offenders = []
    for path in modules("governance"):
        if is_shell(path) or not path.relative_to(ROOT).parts[1].endswith(".py"):
            continue
        for function in tree_of(path).body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
                continue
            names = {argument.arg for argument in function.args.kwonlyargs}
            opens = any(
                isinstance(node, ast.Call) and ast.unparse(node.func) == "governed"
                for node in ast.walk(function)
            )
            if opens and "by" in names and not asks(function):
                offenders.append(f"{name_of(path)}:{function.lineno} {function.name}")
    assert_none(offenders)
