"""People's Markdown and machines' JSON become HTML that cannot do anything."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import rich_text


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)


def test_markdown_keeps_structure() -> None:
    html = rich_text.markdown("# Title\n\nKeep the **decimals**, see `total`.\n\n- one\n- two")
    assert "<h3>Title</h3>" in html
    assert "<strong>decimals</strong>" in html
    assert "<li>one</li>" in html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        '[x](https://a.example "onmouseover=alert(1)")',
        '<a href="https://x" style="color:red">x</a>',
    ],
)
def test_markdown_cannot_act(attack: str) -> None:
    found = Tags()
    found.feed(rich_text.markdown(attack))
    assert found.tags <= {"p", "a"}
    assert found.attributes <= {("href", "https://a.example"), ("rel", "noopener nofollow")} | {
        ("title", "onmouseover=alert(1)")  # a title is only shown
    }


def test_links_do_not_vouch_for_where_they_go() -> None:
    assert 'rel="noopener nofollow"' in rich_text.markdown("[n8n](https://n8n.example)")


def test_json_is_indented_and_other_text_kept() -> None:
    assert rich_text.pretty_json('{"a":1}') == '{\n  "a": 1\n}'
    assert rich_text.pretty_json(b"not json") == "not json"
    assert rich_text.pretty_json({"ü": None}) == '{\n  "ü": null\n}'


def test_keys_strings_and_figures_are_coloured_apart() -> None:
    html = rich_text.highlighted_json('{"a": "b", "n": -1.5e3, "t": true}')
    assert '<span class="k">&quot;a&quot;</span>' in html
    assert '<span class="s">&quot;b&quot;</span>' in html
    assert '<span class="n">-1.5e3</span>' in html
    assert '<span class="n">true</span>' in html


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_colouring_neither_loses_text_nor_lets_markup_through(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    html = str(rich_text.highlighted_json(text))
    for css in "ksn":
        html = html.replace(f'<span class="{css}">', "")
    html = html.replace("</span>", "")
    assert "<" not in html
    plain = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert plain.replace("&#x27;", "'").replace("&amp;", "&") == text
