"""The JSON form: the identity on any system, safe to read, described by its schema."""

from __future__ import annotations

import json
import time

import jsonschema
import pytest
from depth import examples
from hypothesis import HealthCheck, given
from strategies import systems

import archcheck
from archcheck import ModelError, System, from_json, json_schema, to_json
from archcheck.model.element import element_types

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@examples(60, suppress_health_check=[HealthCheck.too_slow])
@given(systems())
def test_reading_back_what_was_written_is_the_identity(system: System) -> None:
    text = to_json(system)
    again = from_json(text)
    assert again == system
    assert to_json(again) == text


@examples(20, suppress_health_check=[HealthCheck.too_slow])
@given(systems())
def test_every_written_system_follows_the_schema(system: System) -> None:
    VALIDATOR.validate(json.loads(to_json(system)))


def test_the_schema_is_a_schema_and_covers_the_vocabulary() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]) == set(element_types())
    assert SCHEMA["$defs"]["Call"]["required"] == ["type", "target"]


def test_a_kind_with_an_older_name_is_refused_with_the_new_one() -> None:
    text = '{"type": "System", "name": "x", "elements": [{"type": "Sometimes"}]}'
    with pytest.raises(ModelError, match="Sometimes is called WithProbability now"):
        from_json(text, "x.json")
    with pytest.raises(ImportError, match="Sometimes is called WithProbability now"):
        archcheck.Sometimes  # noqa: B018


def test_a_written_model_says_its_form() -> None:
    assert json.loads(to_json(System("s", [])))["format"] == "archcheck.model/2"


def test_an_older_model_without_a_renamed_field_is_read() -> None:
    text = '{"type": "System", "name": "s", "elements": [{"type": "MySQL", "name": "a"}]}'
    assert from_json(text).datastores[0].name == "a"


def test_the_site_of_an_element_is_its_line_in_the_json() -> None:
    text = '{"type": "System",\n "name": "s",\n "elements": [\n  {"type": "Service", "name": "a"}]}'
    place = from_json(text, "s.json").services[0].site
    assert place is not None
    assert str(place.place).endswith("s.json:4")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "s.json:1: is not JSON: Expecting value"),
        ('{"type": "System",\n"name" 3}', "s.json:2: is not JSON"),
        ("[]", "s.json:1: is not a model"),
        (
            '{"type": "System", "name": "s", "elements": [\n{"type": "Servise", "name": "a"}]}',
            "s.json:2: \"type\" must be a kind of element, got 'Servise'; did you mean 'Service'",
        ),
        (
            '{"type": "System", "name": "s", "elements": [\n\n{"type": "Service", "nme": "a"}]}',
            "s.json:3: Service: there is no argument 'nme'",
        ),
        (
            '{"type": "System", "name": "s", "elements": [\n'
            '{"type": "MySQL", "name": "a", "replicas": 1}]}',
            "s.json:2: MySQL 'a': replicas are running processes of a service; write copies=... "
            "(the primary counted); the file is of the form archcheck.model/1, and this version "
            "reads archcheck.model/2: export the model again, or write the new words",
        ),
        (
            '{"format": "archcheck.model/3", "type": "System", "name": "s"}',
            "s.json:1: is of the form 'archcheck.model/3', and this version reads "
            "'archcheck.model/2': export the model again",
        ),
        ('{"type": "System", "name": "s", "name": "t"}', "s.json:1: the key 'name' appears twice"),
        ('{"type": ["x"]}', "must be a kind of element"),
        ("[" * 70 + "]" * 70, "s.json:1: is nested deeper than 64"),
    ],
)
def test_bad_json_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(ModelError) as error:
        from_json(text, "s.json")
    assert sentence in str(error.value)


def test_a_text_without_an_end_is_refused_as_fast_as_it_is_read() -> None:
    """Its 200 kB took minutes when each quotation mark in it was taken for a beginning."""
    start = time.process_time()
    with pytest.raises(ModelError, match="is not JSON"):
        from_json('{"type": "' + r"\"" * 100_000)
    assert time.process_time() - start < 5
