"""The template tags render what a page says, safely and for every reader."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from catalog import charts

NOW = datetime(2026, 11, 12, 13, 31, 7, tzinfo=UTC)


def render(source: str, query: str = "", **context: object) -> str:
    request = RequestFactory().get(f"/somewhere?{query}")
    return Template(source).render(Context({"request": request, **context}))


def test_status_is_icon_word_and_tone() -> None:
    html = render('{% status "delivery" "dead" %}')
    assert re.fullmatch(
        r'<span class="status" data-tone="bad">'
        r'<svg [^>]*aria-hidden="true"[^>]*>.*</svg>Dead</span>',
        html,
    )


def test_badge_takes_words_of_its_own_and_escapes_them() -> None:
    html = render('{% badge "failure_group" "assigned" word=word %}', word="<b>Maya</b> is on it")
    assert 'class="badge" data-tone="info"' in html
    assert "&lt;b&gt;Maya&lt;/b&gt; is on it" in html


def test_when_says_the_exact_instant_for_machines_and_in_the_tool_tip() -> None:
    html = render("{% when then now=now %}", then=NOW - timedelta(minutes=4), now=NOW)
    assert html == (
        '<time datetime="2026-11-12T13:27:07+00:00"'
        ' title="Thursday 12 November 2026, 13:27:07 UTC">4 min ago</time>'
    )


def test_when_of_a_date_and_of_nothing() -> None:
    assert render("{% when day %}", day=date(2027, 6, 30)).endswith(">30 Jun 2027</time>")
    assert render('{% when None empty="never" %}') == "never"


def test_panel_names_itself_and_its_count() -> None:
    html = render('{% panel "Needs you" count=0 note="today" %}<ol></ol>{% endpanel %}')
    assert '<section class="panel" aria-labelledby="needs-you">' in html
    assert '<h2 id="needs-you">Needs you</h2>' in html
    assert '<span class="count">0</span>' in html
    assert "<ol></ol>" in html


def test_content_of_blocks_is_not_escaped_twice() -> None:
    html = render(
        '{% banner "warn" title %}<p>{{ text }}</p>{% endbanner %}', title="A < B", text="C < D"
    )
    assert "<strong>A &lt; B</strong><p>C &lt; D</p>" in html


class Wizard(forms.Form):
    url = forms.URLField(label="Address", help_text="https only", assume_scheme="https")
    pace = forms.IntegerField(required=False)
    tool = forms.ChoiceField(
        choices=[("n8n", "n8n"), ("zapier", "Zapier")], widget=forms.RadioSelect
    )
    sample = forms.BooleanField(label="Send a sample", required=False)


def test_field_ties_its_help_to_the_control() -> None:
    html = render("{% field form.url %}", form=Wizard())
    assert '<label for="id_url">Address</label>' in html
    assert 'class="input"' in html
    assert 'aria-describedby="id_url_note"' in html
    assert '<div class="help" id="id_url_note">https only</div>' in html


def test_error_takes_the_place_of_the_help() -> None:
    html = render("{% field form.url %}", form=Wizard({"url": "n8n"}))
    assert 'aria-invalid="true"' in html
    assert 'class="error" id="id_url_note"' in html
    assert "https only" not in html


def test_optional_field_says_so() -> None:
    assert "<small>(optional)</small>" in render("{% field form.pace %}", form=Wizard())


def test_choices_are_a_fieldset_with_a_label_each() -> None:
    html = render("{% field form.tool %}", form=Wizard({"tool": "n8n"}))
    assert "<legend>Tool</legend>" in html
    assert re.search(r'<label for="id_tool_0"><input [^>]*checked[^>]*>n8n</label>', html)


def test_form_counts_the_fields_that_need_another_look() -> None:
    html = render("{% form form %}", form=Wizard({}))
    assert "Not saved: 2 fields need another look." in html
    assert html.count('class="error"') == 2


def test_pages_keep_the_rest_of_the_query() -> None:
    page = Paginator(range(46), 10).page(2)
    html = render("{% pages page %}", "q=a%26b&page=2", page=page)
    assert "11 to 20 of 46" in html
    assert 'href="?q=a%26b&amp;page=1"' in html
    assert 'href="?q=a%26b&amp;page=3"' in html


def test_sort_head_turns_around() -> None:
    assert 'href="?q=x&amp;sort=waiting"' in render('{% sort_head "W" "waiting" %}', "q=x&page=3")
    up = render('{% sort_head "W" "waiting" "num" %}', "sort=waiting")
    assert 'class="num" aria-sort="ascending"' in up
    assert 'href="?sort=-waiting"' in up
    assert 'aria-sort="descending"' in render('{% sort_head "W" "waiting" %}', "sort=-waiting")


def test_filter_chip_takes_only_its_own_value_away() -> None:
    html = render('{% filter_chip "Sales" "domain" "sales" %}', "domain=sales&domain=stock&page=2")
    assert 'href="?domain=stock"' in html
    assert 'aria-label="Remove the filter Sales"' in html


def test_facet_shows_what_is_chosen() -> None:
    options = [("sales", "Sales", 9), ("stock", "Stock", 0)]
    html = render('{% facet "Domain" "domain" options %}', "domain=sales", options=options)
    assert 'value="sales" checked' in html
    assert 'value="stock">' in html
    assert '<span class="end">9</span>' in html


def test_crumbs_end_where_we_are() -> None:
    html = render('{% crumbs "Catalog" "/catalog/" name %}', name="Order <placed>")
    assert '<li><a href="/catalog/">Catalog</a></li>' in html
    assert '<li aria-current="page">Order &lt;placed&gt;</li>' in html


def test_chart_says_its_conclusion_and_hides_its_numbers_behind_a_summary() -> None:
    chart = charts.Chart(
        title="Throughput",
        says="Rising to 312",
        times=["15:00", "now"],
        lines=[
            charts.Line(label="Delivered", values=[100.5, 312]),
            charts.Line(label="Published", values=[1, 2]),
        ],
    )
    html = render("{% chart chart %}", chart=chart)
    assert 'role="img" aria-label="Rising to 312"' in html
    assert "Delivered, <b>312</b>" in html
    assert "<summary>The numbers</summary>" in html
    assert " style=" not in html


@pytest.mark.parametrize("language", ["en", "de"])
def test_numbers_in_svg_ignore_the_language(language: str) -> None:
    with translation.override(language):
        html = render("{% spark values 'x' %}{% share_bar 61.5 %}", values=[1, 2.5])
    assert "61.5" in html
    assert "," not in html


def test_payload_is_shown_not_run() -> None:
    html = render('{% payload data title="Order" %}', data={"x": "</pre><script>alert(1)</script>"})
    assert "<script" not in html
    assert "data-copy" in html


def test_initials_of_names() -> None:
    assert render("{{ 'Maya Lindqvist'|initials }}{{ 'n8n'|initials }}{{ ''|initials }}") == "MLN"


def test_place_without_a_page_has_no_url() -> None:
    assert render('{% nav_url "nowhere:at-all" %}') == ""
