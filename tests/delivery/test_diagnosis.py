"""Every failure has three plain sentences."""

from __future__ import annotations

import pytest

from catalog.words import ApplicationKind
from delivery import diagnosis
from delivery.retrying import Limit
from delivery.states import DisableReason, SkipReason
from delivery.transports import ErrorClass


@pytest.mark.parametrize("kind", ApplicationKind.values)
@pytest.mark.parametrize(
    ("error_class", "status"),
    [(one, None) for one in ErrorClass]
    + [(ErrorClass.HTTP_STATUS, status) for status in (400, 401, 404, 410, 418, 429, 500, 599)]
    + [(ErrorClass.REDIRECT, 302), ("something new", None)],
)
def test_each_has_what_it_is_what_it_means_and_what_to_do(
    error_class: str, status: int | None, kind: str
) -> None:
    said = diagnosis.explain(error_class, status, kind=kind)
    for sentence in (str(said.what), str(said.means), str(said.do)):
        assert sentence
        assert sentence.endswith(".")
        assert "{" not in sentence
        assert "!" not in sentence


def test_it_knows_the_builder() -> None:
    said = diagnosis.explain("http_status", 404, kind=ApplicationKind.N8N)
    assert str(said.sentence) == (
        "n8n answers 404: the webhook is not registered. "
        "The flow was probably switched off, or its test address was used."
    )


def test_a_status_without_a_sentence_of_its_own_is_named() -> None:
    assert "418" in str(diagnosis.explain("http_status", 418).what)


def test_no_kind_is_told_by_the_words_for_what_nobody_foresaw() -> None:
    assert {kind for kind, _what in diagnosis.kinds()} == set(ErrorClass)


@pytest.mark.parametrize("said", [diagnosis.CIRCUIT_OPEN, diagnosis.CONTRACT_CHANGED])
def test_what_is_no_failure_has_three_sentences_too(said: diagnosis.Diagnosis) -> None:
    assert all(str(one).endswith(".") for one in (said.what, said.means, said.do))


def test_every_skip_says_what_to_do() -> None:
    for reason in SkipReason.values:
        said = diagnosis.of_skip(reason)
        assert said is not None
        assert all(str(one).endswith(".") for one in (said.what, said.means, said.do))
    assert diagnosis.of_skip("else") is None


def test_every_reason_and_limit_has_a_sentence() -> None:
    for reason in SkipReason.values:
        assert str(diagnosis.explain_skip(reason)) != reason
    for limit in Limit:
        assert str(diagnosis.explain_limit(limit)) != limit
    for because in DisableReason.values:
        assert str(diagnosis.explain_disabled(because)) != because
