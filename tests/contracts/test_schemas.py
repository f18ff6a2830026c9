"""Every JSON that a command prints follows its schema, and the schema says what each field is."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from commands import ROOT, archcheck, check_form
from depth import sample, thorough

from archcheck.configuration import read
from archcheck.loading import load
from archcheck.model import ModelError
from archcheck.planning import plan_capacity
from archcheck.plugins import rules
from archcheck.reporting.planning import plan_data
from archcheck.reporting.schemas import PRINTED, READ, schema
from archcheck.reporting.simulation import simulation_data
from archcheck.simulation import simulate

NAMES = [*READ, *PRINTED]
CHECKOUT = "examples/checkout.py"
BROKEN = "examples/broken_shop.py"
MODELS = ("models/online_boutique", "models/shop", "models/social_network")


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name, rules()))


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object in a schema."""
    if isinstance(part, dict):
        if "properties" in part and part.get("type") == "object":
            yield part
        part = [*part.values()]
    for inner in part if isinstance(part, list) else ():
        yield from objects(inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_names_its_version_and_describes_every_field(name: str) -> None:
    found = schema(name, rules())
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$id"].startswith("urn:archcheck:")
    for each in objects(found):
        for field, part in each["properties"].items():
            told = {"description", "const", "$ref"} & part.keys()
            assert told or name == "model", f"{field} of {each.get('title')}"


@pytest.mark.parametrize("name", PRINTED)
def test_a_printed_object_has_no_field_that_its_schema_does_not_know(name: str) -> None:
    found = schema(name)
    for each in objects(found):
        assert each["additionalProperties"] is False
        assert sorted(each["required"]) == sorted(each["properties"])
    form = found["items"] if PRINTED[name].is_list else found
    if "format" in form["properties"]:
        assert form["properties"]["format"]["const"] == PRINTED[name].format


COMMANDS = [
    "verify models",
    f"verify {BROKEN}",
    f"prove {BROKEN} --replay",
    *(f"prove {model}" for model in MODELS),
    "simulate models/online_boutique --scenario busy --duration 20s",
    "simulate models/shop --scenario evening --duration 20s",
    "simulate models/social_network --scenario mixed --duration 20s",
    f"simulate {CHECKOUT} --fault 'ledger slow x40 from 20s to 40s'",
    f"simulate {BROKEN} --duration 20s",
    f"compare {CHECKOUT} --set load=x0.5,x2 --replications 2",
    f"plan {CHECKOUT} --budget 5s --growth 5%",
    *(f"plan {model} --budget 3s" for model in (*MODELS, BROKEN)),
    f"chaos {CHECKOUT}",
    f"phase-map 'payments slow' {CHECKOUT}",
    *(f"availability {model}" for model in (*MODELS, BROKEN)),
    "availability models/social_network --kill 30% --scenario mixed",
    "import examples/repository",
    "rules",
]


def printed(*arguments: str | Path, cwd: Path = ROOT) -> Any:
    """What a command prints as JSON; ``archcheck`` of the tests looks at its schema."""
    done = archcheck(*arguments, "--format", "json", cwd=cwd)
    assert done.returncode in (0, 1, 3), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", sample(COMMANDS, every=3))
def test_what_a_command_prints_follows_its_schema(command: str) -> None:
    printed(*shlex.split(command))


SMALL = """
from archcheck import Endpoint, Journey, Load, Poisson, Scenario, Service, Slo, SpringBoot, Work
from archcheck.units import ms, s

buying = Endpoint("buy", steps=[Work(50 * ms)])
shop = Service("shop", runtime=SpringBoot(threads=2), endpoints=[buying])
buy = Journey("buy", "shop.buy", slo=Slo(p99=300 * ms))
met = Scenario("met", load=[Load(buy, Poisson(4 / s))])
missed = Scenario("missed", load=[Load(buy, Poisson(32 / s))])
endless = Scenario("endless", load=[Load(buy, Poisson(80 / s))])
"""


@pytest.mark.parametrize(
    ("scenario", "state"), [("met",) * 2, ("missed",) * 2, ("endless", "missed")]
)
def test_objectives_in_every_state_follow_the_schema(
    scenario: str, state: str, tmp_path: Path
) -> None:
    (tmp_path / "small.py").write_text(SMALL)
    data = printed("simulate", "small.py", "--scenario", scenario, cwd=tmp_path)
    (objective,) = data["objectives"]
    assert objective["state"] == state
    assert (objective["value"] is None) == (scenario == "endless")


def test_an_open_objective_and_a_system_that_nobody_asks_follow_the_schema(tmp_path: Path) -> None:
    text = SMALL.replace("4 / s", "0.001 / s")
    (tmp_path / "small.py").write_text(text)
    data = printed("simulate", "small.py", "--duration", "1s", cwd=tmp_path)
    assert [each["state"] for each in data["objectives"]] == ["open"]


ONE_SERVICE = 'from archcheck import Service\n\nshop = Service("shop")\n'


def test_what_was_stopped_follows_the_schema() -> None:
    (checkout,) = load(ROOT / "examples" / "checkout.py")
    scenario = checkout.scenarios[0]
    asked = iter([False, True])

    def stop() -> bool:
        return next(asked, True)

    run = simulation_data(simulate(checkout, scenario, replications=3, stop=stop))
    validator("simulate").validate(run)
    assert not run["complete"]
    plan = plan_data(plan_capacity(checkout, scenario, budget=1.0))
    validator("plan").validate(plan)
    assert plan["missing"]


def test_a_model_without_findings_follows_the_schema(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(ONE_SERVICE)
    (clean,) = printed("verify", "small.py", "--select", "BND001", cwd=tmp_path)
    assert clean["findings"] == []


def test_a_broken_rule_follows_the_schema(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(ONE_SERVICE)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "breaks.py").write_text(
        '"""Breaks."""\nfrom archcheck.findings import Rule\n'
        'rule = Rule("OWN001", "breaks", severity="info", method="attr")\n\n'
        "@rule.check\ndef check(graph):\n    return 1 / 0\n"
    )
    done = archcheck("verify", "small.py", "--format", "json", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)[0]["summary"]["rules"]["broken"] == 1


def test_a_field_that_nobody_documents_is_refused_wherever_a_test_prints_it() -> None:
    (data,) = printed("verify", CHECKOUT)
    data["findings"][0]["more"] = 1
    with pytest.raises(jsonschema.ValidationError, match="more"):
        check_form(["verify", CHECKOUT, "--format", "json"], json.dumps([data]))


# -- configuration --------------------------------------------------------------------------------


def documented() -> str:
    """The configuration of the page on verify."""
    text = (ROOT / "docs" / "verify.md").read_text()
    return text.split("```toml\n", 1)[1].split("```", 1)[0]


def test_the_documented_configuration_follows_the_schema_and_is_read(tmp_path: Path) -> None:
    file = tmp_path / "archcheck.toml"
    file.write_text(documented())
    read(file, rules())
    validator("configuration").validate(tomllib.loads(documented()))


@pytest.mark.parametrize("key", schema("configuration")["properties"])
def test_every_key_of_the_schema_is_read(key: str, tmp_path: Path) -> None:
    file = tmp_path / "archcheck.toml"
    file.write_text(f"{key} = 12.5\n")
    with pytest.raises(ModelError) as caught:
        read(file, rules())
    assert "there is no setting" not in str(caught.value)
    assert not validator("configuration").is_valid({key: 12.5})


@pytest.mark.parametrize(
    "wrong",
    [
        "profil = 'strict'",
        "profile = 'stric'",
        "severity.RES009 = 'fatal'",
        "overrides = [{ ignore = ['RES'] }]",
        "edits.timeout = 0",
        "edits.timeouts = 1",
        "rules.BND011.max-depht = 4",
        "rules.BND011.max-depth = 'four'",
        "rules.BND001.max-depth = 4",
        "look.colors.pci = '#fbd38d'",
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "archcheck.toml"
    file.write_text(f"{wrong}\n")
    with pytest.raises(ModelError):
        read(file, rules())
    assert not validator("configuration").is_valid(tomllib.loads(wrong))


NODE = Path(os.environ.get("ARCHCHECK_NODE", ROOT / ".venv" / "node"))
TAPLO = NODE / "node_modules" / ".bin" / "taplo"


@thorough
@pytest.mark.skipif(
    not TAPLO.exists() and os.environ.get("ARCHCHECK_LEAVES_OUT") != "nothing",
    reason="left out: Taplo of tests/parsers is not installed",
)
def test_an_editor_checks_the_configuration_by_its_schema(tmp_path: Path) -> None:
    """Taplo is what editors complete and check TOML with."""
    archcheck("schema", "configuration", "-o", ".archcheck.schema.json", cwd=tmp_path)
    for name, text in (("good", documented()), ("bad", "rules.BND011.max-depht = 4\n")):
        (tmp_path / f"{name}.toml").write_text(f"#:schema ./.archcheck.schema.json\n{text}")
    good, bad = (
        subprocess.run(
            [TAPLO, "lint", name], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        for name in ("good.toml", "bad.toml")
    )
    assert good.returncode == 0, good.stderr
    assert "'max-depht' was unexpected" in bad.stderr


def test_schemas_are_listed_and_written_by_one_command() -> None:
    assert [line.split()[0] for line in archcheck("schema").stdout.splitlines()] == NAMES
    assert json.loads(archcheck("schema", "plan").stdout) == schema("plan")
    assert "archcheck schema model" in archcheck("export", "--schema").stderr
