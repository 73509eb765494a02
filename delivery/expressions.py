"""JMESPath with ceilings: safe to let anyone write, for filters and mappings.

JMESPath has no loops, but a short expression can double its result at each step. So work is
counted while it runs: one unit for each step, and for what a step builds one unit for each value
and each 16 characters.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from jmespath.exceptions import JMESPathError, JMESPathTypeError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from delivery.strict_json import escape

MAX_WORK = 200_000  # units; some tenths of a second at most
MAX_LEVELS = 60  # of the syntax tree: the interpreter recurses into it

Path = tuple[str, ...]
Node = Mapping[str, object]

_FUNCTIONS = Functions.FUNCTION_TABLE


class InvalidExpression(ValueError):
    """The text is no expression that can be used: show the sentence to who wrote it."""


class EvaluationFailed(ValueError):
    """The expression does not fit this document: show the sentence to who wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """A checked expression."""

    text: str
    tree: Node = field(repr=False, compare=False)


def compile(text: object, *, max_characters: int) -> Expression:
    """Return the expression, checked as far as can be without a document.

    Raises `InvalidExpression`: also for unknown functions and wrong numbers of arguments, which
    JMESPath itself finds only when it runs.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidExpression("An expression is a text that is not empty.")
    if len(text) > max_characters:
        raise InvalidExpression(f"The expression is longer than {max_characters} characters.")
    try:
        with warnings.catch_warnings():
            # `EU` for `"EU"` is an old spelling that people still write; the library reads it.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            tree = cast(Node, Parser().parse(text).parsed)
    except RecursionError:
        raise InvalidExpression("The expression is nested too deeply.") from None
    except (LexerError, ParseError) as error:
        raise InvalidExpression(f"The expression cannot be read: {_first_line(error)}.") from None
    except (JMESPathError, ValueError):
        raise InvalidExpression("The expression cannot be read.") from None
    for fault in _faults(tree):
        raise InvalidExpression(fault)
    return Expression(text=text, tree=tree)


def evaluate(expression: Expression, document: object, *, max_work: int = MAX_WORK) -> object:
    """Return what the expression makes of the document.

    Parts of the document are in the result as they are, not copied. Raises `EvaluationFailed`.
    """
    try:
        return cast(object, _Bounded(max_work).visit(cast(Any, expression.tree), document))
    except EvaluationFailed:
        raise
    except JMESPathTypeError as error:
        # The library repeats the value, which may be personal and differs from event to event.
        wanted = " or ".join(error.expected_types)
        raise EvaluationFailed(
            f"{error.function_name}() takes {wanted} and got {error.actual_type} here."
        ) from None
    except JMESPathError as error:
        raise EvaluationFailed(f"The expression fails here: {_first_line(error)}.") from None
    except (ArithmeticError, TypeError, ValueError, RecursionError):
        # Comparing mixed types, sums of huge integers, numbers in words: the library lets them out.
        raise EvaluationFailed("The expression does not fit this document.") from None


def is_true(value: object) -> bool:
    """Say whether JMESPath counts a value as true: all but false, null, "", [] and {}."""
    return not (value is None or value is False or value in ("", [], {}))


def data_paths(expression: Expression) -> tuple[str, ...]:
    """Return the places of the document that the result depends on, sorted.

    They are JSON pointers with `*` for every item or member (of lists in lists too); a pointer
    stands for all beneath it, and "" for the whole document. Nothing but the values there, and the
    containers on the way to them, can change the result.
    """
    reads = _Reads()
    reads.use(reads.of(expression.tree, frozenset({_Place(())})))
    outermost = {
        path
        for path in reads.paths
        if not any(path[:length] in reads.paths for length in range(len(path)))
    }
    return tuple(sorted("".join(f"/{step}" for step in path) for path in outermost))


class _Bounded(TreeInterpreter):
    """The interpreter of the library, with a budget."""

    def __init__(self, max_work: int) -> None:
        super().__init__()
        self._work_left = max_work

    if not TYPE_CHECKING:  # the stubs' signatures hold the library's private node type

        def visit(self, node, *args, **kwargs):
            self._work_left -= 1
            if self._work_left < 0:
                raise EvaluationFailed("The expression has too much to do with this document.")
            return super().visit(node, *args, **kwargs)

        def visit_multi_select_dict(self, node, value):
            return self._charged(super().visit_multi_select_dict(node, value))

        def visit_multi_select_list(self, node, value):
            return self._charged(super().visit_multi_select_list(node, value))

        def visit_flatten(self, node, value):
            merged = super().visit_flatten(node, value)
            self._work_left -= len(merged or ())
            return merged

        def visit_function_expression(self, node, value):
            result = super().visit_function_expression(node, value)
            if isinstance(result, str):
                self._work_left -= len(result) >> 4
            elif isinstance(result, list | dict):
                self._work_left -= len(result)
            return result

    def _charged(self, built: object) -> object:
        """Count every value within; one that stands in two places will be written out twice."""
        waiting = [built]
        while waiting and self._work_left >= 0:
            value = waiting.pop()
            self._work_left -= 1
            if isinstance(value, str):
                self._work_left -= len(value) >> 4
            elif isinstance(value, dict):
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)
        return built


def _children(node: Node) -> list[Node]:
    # A slice keeps three numbers where other nodes have nodes.
    children = cast(Sequence[object], node["children"])
    return [cast(Node, child) for child in children if isinstance(child, dict)]


def _faults(tree: Node) -> Iterator[str]:
    level, depth = [(tree, "")], 0
    while level:
        depth += 1
        if depth > MAX_LEVELS:
            yield "The expression is nested too deeply."
            return
        for node, parent in level:
            yield from _node_faults(node, parent)
        level = [(child, str(node["type"])) for node, _ in level for child in _children(node)]


def _node_faults(node: Node, parent: str) -> Iterator[str]:
    match node["type"]:
        case "expref" if parent != "function_expression":
            yield "An expression with & belongs into a function such as sort_by."
        case "function_expression":
            yield from _call_faults(str(node["value"]), len(_children(node)))
        case "literal":
            try:
                json.dumps(node["value"], allow_nan=False)
            except ValueError:
                yield "A literal holds a number that JSON does not have."


def _call_faults(name: str, given: int) -> Iterator[str]:
    if name not in _FUNCTIONS:
        yield f"There is no function {name}()."
        return
    signature = _FUNCTIONS[name]["signature"]
    wanted = len(signature)
    is_variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < wanted or (given > wanted and not is_variadic):
        yield f"{name}() takes {wanted} argument{'s' if wanted != 1 else ''}, not {given}."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value lies in the document.

    Of a list that the expression made, where its items lie; `made` counts such lists in each other.
    """

    path: Path
    made: int = 0


_Places = frozenset[_Place]
_NOWHERE: _Places = frozenset()


class _Reads:
    """Follows where values come from: the answer to "which fields does it read?"."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()

    def use(self, places: _Places) -> None:
        """Note that the result depends on the values there, with all beneath them."""
        self.paths |= {place.path for place in places}

    def of(self, node: Node, at: _Places) -> _Places:
        """Return where the result of `node` may lie when it looks at the places `at`.

        What the node uses up on the way (compares, passes to a function, builds into something
        new) is noted, so nothing that matters is left out.
        """
        children = _children(node)
        match node["type"]:
            case "identity" | "current" | "slice":
                return at
            case "field":
                return _member(at, escape(str(node["value"])))
            case "index":
                return _items(at)
            case "subexpression" | "index_expression" | "pipe":
                for child in children:
                    at = self.of(child, at)
                return at
            case kind:
                return self._made(str(kind), children, at)

    def _made(self, kind: str, children: Sequence[Node], at: _Places) -> _Places:
        match kind:
            case "projection" | "value_projection" | "filter_projection":
                return self._projected(children, at)
            case "flatten":
                # An item may be a list itself, whose items then stand in its place.
                items = _items(self.of(children[0], at))
                return _list_of(items | _items(items))
            case "or_expression" | "and_expression":
                first, second = (self.of(child, at) for child in children)
                self.use(first)
                return first | second
            case "expref":
                # It looks at items of another argument, and those are used as a whole.
                return _NOWHERE
        for child in children:
            self.use(self.of(child, at))
        return _NOWHERE

    def _projected(self, children: Sequence[Node], at: _Places) -> _Places:
        source, result, *condition = children
        items = _items(self.of(source, at))
        if condition:
            self.use(self.of(condition[0], items))
        return _list_of(self.of(result, items))


def _member(places: _Places, name: str) -> _Places:
    return frozenset(_Place((*p.path, name)) for p in places if not p.made)


def _items(places: _Places) -> _Places:
    """Return where the items (or members) of the values at these places lie."""
    return frozenset(
        replace(p, made=p.made - 1)
        if p.made
        else _Place(p.path if p.path[-1:] == ("*",) else (*p.path, "*"))
        for p in places
    )


def _list_of(items: _Places) -> _Places:
    return frozenset(replace(p, made=p.made + 1) for p in items)


def _first_line(error: Exception) -> str:
    """Return what the library says, without its drawing of the place."""
    return re.sub(r"\s+", " ", str(error).split("\n", 1)[0]).strip().rstrip(".:")
