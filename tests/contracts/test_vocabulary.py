"""The reference of the vocabulary: every name and field has its words, everywhere the same."""

from __future__ import annotations

import pytest
from commands import archcheck

from archcheck import Service
from archcheck.model import element as kinds
from archcheck.model import json_schema
from archcheck.model.element import element, element_types, field_names
from archcheck.model.words import KindWords, all_words, words_of
from archcheck.reporting.vocabulary import known_words, vocabulary_pages


@pytest.mark.parametrize("words", list(all_words()), ids=lambda words: words.name)
def test_every_kind_and_field_has_its_words(words: KindWords) -> None:
    kind = element_types()[words.name]
    assert words.text
    assert not words.text.startswith(f"{words.name}(")  # what dataclasses write by themselves
    assert [field.name for field in words.fields] == list(field_names(kind))
    for field in words.fields:
        assert field.text.endswith((".", "?", "``")), f"{words.name}.{field.name}: {field.text}"
        assert field.types


def test_explain_says_what_a_word_is() -> None:
    text = archcheck("explain", "Call").stdout
    assert text == vocabulary_pages()["Call.md"]
    field = archcheck("explain", "SpringBoot.threads").stdout
    assert "200 (Spring Boot: server.tomcat.threads.max, checked 20" in field
    assert "**in a run**: simulated" in field
    older = archcheck("explain", "PhpFpm.accept_queue").stdout
    assert "unknown; 511 (PHP-FPM before 8.2: listen.backlog, checked 20" in older
    left_out = archcheck("explain", "Resources.memory_limit").stdout
    assert "listed as not simulated: memory and its limits" in left_out


def test_a_word_that_nobody_knows_gets_the_nearest() -> None:
    done = archcheck("explain", "Call.time_out")
    assert done.returncode == 2
    assert "did you mean 'Call.timeout'" in done.stderr
    assert "RES001" in archcheck("explain", "res001").stdout


def test_schemas_say_the_same_words() -> None:
    definitions = json_schema()["$defs"]
    for words in all_words():
        properties = definitions[words.name]["properties"]
        for field in words.fields:
            said = properties[field.name]["description"]
            assert said.startswith(" ".join(field.text.split()))


def test_the_list_leads_to_every_page() -> None:
    pages = vocabulary_pages()
    names = {word for word in known_words() if "." not in word}
    assert {f"{name}.md" for name in names} | {"README.md"} == set(pages)
    assert all(f"]({name}.md)" in pages["README.md"] for name in names)


def test_a_kind_of_ones_own_needs_no_words() -> None:
    @element
    class Billing(Service):
        """A service of ours."""

        cost_centre: str | None = None

    try:
        words = words_of(Billing)
        assert words.fields[-1].name == "cost_centre"
        assert words.fields[-1].text == ""
        assert "Billing" in json_schema()["$defs"]
        assert "cost_centre" in archcheck("explain", "Billing").stdout
    finally:
        del kinds._types["Billing"]
