"""The sentences that say what a change means, one template each.

``{field}`` is the field's title, or its name where it has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from governance.compatibility.report import Kind

WHOLE = "The event"
TOO_DEEP = "The schema is nested too deeply to be compared."
SEPARATOR = " \u203a "  # a small arrow to the right: from a group to its field

TEMPLATES: dict[Kind, str] = {
    Kind.PROPERTY_ADDED: "{field} is new.",
    Kind.PROPERTY_REMOVED: "{field} is removed.",
    Kind.REQUIRED_ADDED: "{field} becomes required. Until now it may be missing.",
    Kind.REQUIRED_REMOVED: "{field} may now be missing. Until now it was always there.",
    Kind.TYPE_NARROWED: "{field} was {old} and may now only be {new}.",
    Kind.TYPE_WIDENED: "{field} was {old} and may now be {new}.",
    Kind.TYPE_CHANGED: "{field} was {old} and becomes {new}.",
    Kind.ENUM_NARROWED: "{field} no longer allows {removed}.",
    Kind.ENUM_WIDENED: "{field} now also allows {added}.",
    Kind.ENUM_CHANGED: "{field} no longer allows {removed}, and now allows {added}.",
    Kind.BOUND_TIGHTENED: "{field} is now {new}. Until now it was {old}.",
    Kind.BOUND_LOOSENED: "{field} was {old} and is now {new}.",
    Kind.MULTIPLE_OF_CHANGED: "{field} was {old} and is now {new}.",
    Kind.LENGTH_TIGHTENED: "{field} must now have {new}. Until now it had {old}.",
    Kind.LENGTH_LOOSENED: "{field} had {old} and may now have {new}.",
    Kind.PATTERN_ADDED: "{field} must now match the pattern {new}.",
    Kind.PATTERN_REMOVED: "{field} no longer has to match the pattern {old}.",
    Kind.PATTERN_CHANGED: "{field} had to match the pattern {old} and must now match {new}.",
    Kind.FORMAT_ADDED: "{field} must now have the format {new}.",
    Kind.FORMAT_REMOVED: "{field} no longer has to have the format {old}.",
    Kind.FORMAT_CHANGED: "{field} had the format {old} and must now have the format {new}.",
    Kind.ITEM_COUNT_TIGHTENED: "{field} must now have {new}. Until now it had {old}.",
    Kind.ITEM_COUNT_LOOSENED: "{field} had {old} and may now have {new}.",
    Kind.ITEMS_CHANGED: "What the entries of {field} may hold changes.",
    Kind.CONTAINS_CHANGED: "Which entries {field} must contain changes.",
    Kind.UNIQUE_ITEMS_ADDED: "{field} may no longer have the same entry twice.",
    Kind.UNIQUE_ITEMS_REMOVED: "{field} may now have the same entry twice.",
    Kind.PROPERTY_COUNT_TIGHTENED: "{field} must now have {new}. Until now it had {old}.",
    Kind.PROPERTY_COUNT_LOOSENED: "{field} had {old} and may now have {new}.",
    Kind.CONTENT_CLOSED: "{field} no longer allows fields that are not listed.",
    Kind.CONTENT_OPENED: "{field} now allows fields that are not listed.",
    Kind.ADDITIONAL_PROPERTIES_CHANGED: "What unlisted fields of {field} may hold changes.",
    Kind.PATTERN_PROPERTIES_CHANGED: (
        "What fields of {field} whose name matches {detail} may hold changes."
    ),
    Kind.PROPERTY_NAMES_CHANGED: "Which names the fields of {field} may have changes.",
    Kind.DEPENDENCIES_CHANGED: "What {field} needs when “{detail}” is present changes.",
    Kind.ALL_OF_CHANGED: "The parts that {field} is made of change.",
    Kind.ANY_OF_CHANGED: "The forms that {field} may take change.",
    Kind.ONE_OF_CHANGED: "The forms of which {field} takes exactly one change.",
    Kind.NOT_CHANGED: "What {field} must not be changes.",
    Kind.CONDITION_CHANGED: "What {field} needs {detail} changes.",
    Kind.UNEVALUATED_CHANGED: "What else {field} may hold besides what is listed changes.",
    Kind.CONTENT_FORM_CHANGED: "How {field} carries its content changes: {old}, now {new}.",
    Kind.REFERENCE_CHANGED: "The definition that {field} refers to changes.",
    Kind.SCHEMA_CHANGED: "What {field} may be changes.",
    Kind.MEANING_CHANGED: "The description of {field} changes ({detail}).",
}

TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of fields",
    "null": "empty",
}


SINGULARS = {"characters": "character", "entries": "entry", "fields": "field"}


def say(kind: Kind, labels: Iterable[str], **words: str) -> str:
    """Return the sentence for a change; ``labels`` lead from the whole to the field."""
    template = TEMPLATES[kind]
    whole = WHOLE if template.startswith("{field}") else WHOLE.lower()
    return template.format(field=SEPARATOR.join(labels) or whole, **words)


def condition(test: object, *, is_met: bool) -> str:
    """Return when a condition is met, or not, in the words of its fields as far as it has them."""
    said = _wanted(test)
    if not said:
        return "when its condition is met" if is_met else "when its condition is not met"
    return f"{'when' if is_met else 'unless'} {listed(said, last='and')}"


def _wanted(test: object) -> list[str]:
    """Return what a condition wants of each field; nothing if it is not so simple."""
    if not isinstance(test, dict) or not test.keys() <= {"type", "properties", "required"}:
        return []
    required, fields = test.get("required", []), test.get("properties", {})
    if not isinstance(required, list) or not isinstance(fields, dict):
        return []
    said = {name: f"{name} is given" for name in map(str, required)}
    for name, inner in fields.items():
        if not isinstance(inner, dict) or inner.keys() - {"const", "enum", "type"}:
            return []
        values = inner.get("enum", [inner["const"]] if "const" in inner else None)
        if not isinstance(values, list) or not values:
            return []
        said[name] = f"{name} is {listed(map(shown, values))}"
    return list(said.values())


def unwritten(labels: Iterable[str], keyword: str) -> str:
    """Return the sentence for a break at a place that reads the same in both versions."""
    field = SEPARATOR.join(labels) or WHOLE
    rule = f"the rule {shown(keyword)}" if keyword else "the schema"
    return f"{field} does not keep to {rule} in every document, because something else changed."


def listed(words: Iterable[str], *, last: str = "or") -> str:
    """Return words as an English list."""
    *first, final = list(words) or ["nothing"]
    return f"{', '.join(first)} {last} {final}" if first else final


def type_words(names: Iterable[str]) -> str:
    """Return type names in plain words."""
    return listed(TYPE_WORDS.get(name, name) for name in names)


def shown(value: object) -> str:
    """Return a value as a sentence quotes it, shortened."""
    text = value if isinstance(value, str) else repr(value) if value is not None else "empty"
    if isinstance(value, bool):
        text = "true" if value else "false"
    text = text if len(text) <= 60 else text[:57] + "…"
    return f"“{text}”"


def shown_list(values: list[object]) -> str:
    """Return values as a sentence lists them; of many only the first ones."""
    words = [shown(value) for value in values[:5]]
    if len(values) > len(words):
        words.append(f"{len(values) - len(words)} more")
    return listed(words, last="and")


def counted(least: object, most: object, unit: str) -> str:
    """Return the words for two bounds on a count."""
    if least is None and most is None:
        return f"any number of {unit}"
    if 1 in (least, most) and (least is None or most is None or least == most):
        unit = SINGULARS[unit]
    if most is None:
        return f"at least {least} {unit}"
    if least is None:
        return f"at most {most} {unit}"
    return f"exactly {least} {unit}" if least == most else f"{least} to {most} {unit}"
