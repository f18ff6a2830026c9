"""The modelled systems say what their sources say, and find what is true of them."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from depth import thorough

from archcheck import Datastore, MongoDB, Person, Service, System, effective
from archcheck.configuration import Settings
from archcheck.graph import Graph
from archcheck.graph.walks import pairs
from archcheck.loading import load
from archcheck.verification import verify

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"


def system(name: str) -> System:
    (found,) = load(ROOT / "models" / name)
    return found


def found(system: System, rule: str) -> set[str]:
    return {
        occurrence.subject
        for finding in verify(system).findings
        if finding.rule.id == rule
        for occurrence in finding.occurrences
    }


# -- Online Boutique ----------------------------------------------------------------------------

EDGES = """
frontend -> adservice cartservice checkoutservice currencyservice productcatalogservice
    recommendationservice shippingservice
checkoutservice -> cartservice currencyservice emailservice paymentservice productcatalogservice
    shippingservice
recommendationservice -> productcatalogservice
cartservice -> redis-cart
loadgenerator -> frontend
"""


def edges() -> set[tuple[str, str]]:
    lines = re.sub(r"\n +", " ", EDGES.strip()).splitlines()
    pairs = (line.split(" -> ") for line in lines)
    return {(source, target) for source, targets in pairs for target in targets.split()}


def test_online_boutique_has_the_sixteen_edges_of_the_manifests() -> None:
    assert len(edges()) == 16
    assert set(pairs(Graph(system("online_boutique")).dependencies())) == edges()


def test_online_boutique_finds_what_is_true_of_it() -> None:
    boutique = system("online_boutique")
    assert "frontend.checkout -> checkoutservice.PlaceOrder" in found(boutique, "RES001")
    assert "redis-cart" in found(boutique, "DAT001")
    assert found(boutique, "DEP001") == {"redis-cart"}
    # the load generator has no checks; all others have one that is readiness and liveness at once
    assert found(boutique, "DEP004") == {service.name for service in boutique.services}
    assert "frontend.home -> adservice.GetAds" not in found(boutique, "RES001")


@pytest.mark.skipif(not CORPUS.exists(), reason="the manifests are not beside the repository")
def test_online_boutique_declares_what_its_manifests_declare() -> None:
    boutique = system("online_boutique")
    deployments = [d for d in manifests() if d["kind"] == "Deployment"]
    assert len(deployments) == 12
    for deployment in deployments:
        member = boutique.find(deployment["metadata"]["name"])
        assert isinstance(member, Service | Datastore)
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        declared = member.deployment
        assert declared is not None
        asked = declared.resources
        assert asked is not None
        requests = container["resources"]["requests"]
        assert float(asked.cpu or 0) == pytest.approx(int(requests["cpu"].rstrip("m")) / 1000)
        assert float(asked.memory or 0) == int(requests["memory"].rstrip("Mi")) * 2**20


def manifests() -> list[dict[str, Any]]:
    folder = CORPUS / "online-boutique"
    files = [*folder.rglob("*.yaml")]
    texts = [text for file in files if "kind: Deployment" in (text := file.read_text())]
    largest = max(texts, key=len)
    return [part for part in yaml.safe_load_all(largest) if part]


# -- Social Network -----------------------------------------------------------------------------


def containers(system: System) -> set[str]:
    return {member.name for member in system.elements if not isinstance(member, Person)}


def test_the_social_network_has_27_containers() -> None:
    assert len(containers(system("social_network"))) == 27


@pytest.mark.skipif(not CORPUS.exists(), reason="the compose file is not beside the repository")
def test_the_social_network_has_the_containers_of_its_compose_file() -> None:
    compose = yaml.safe_load((CORPUS / "social-network" / "docker-compose.yml").read_text())
    assert containers(system("social_network")) == set(compose["services"])


def test_the_social_network_finds_what_is_true_of_it() -> None:
    social = system("social_network")
    assert "compose-post-service.ComposePost -> unique-id-service.ComposeUniqueId" in found(
        social, "RES001"
    )
    assert len(found(social, "DEP001")) == 20
    assert found(social, "DAT001") == {
        member.name for member in social.datastores if isinstance(member, MongoDB)
    } - {"media-mongodb"}  # composing a post writes no media


# -- Shop ---------------------------------------------------------------------------------------


@thorough
def test_every_rule_applies_to_the_shop_and_holds() -> None:
    outcomes = verify(system("shop"), settings=Settings(profile="strict")).outcomes
    others = {outcome.rule.id for outcome in outcomes if outcome.verdict != "holds"}
    # it is too small for statistics, suppresses nothing, and adds no labels to its metrics
    assert others == {"BND008", "MOD004", "MOD005", "MOD007", "OBS009"}


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [("orders", "threads", 200), ("page-cache", "parallelism", 1), ("edge", "parallelism", 2)],
)
def test_the_shop_knows_its_frameworks(name: str, attribute: str, value: object) -> None:
    member = system("shop").find(name)
    holder = member.runtime if isinstance(member, Service) else member
    assert effective(holder, attribute).value == value


# -- what is found, and argued in docs/findings ---------------------------------------------------


@pytest.mark.parametrize("name", ["online_boutique", "social_network"])
def test_every_finding_on_a_real_system_is_argued(name: str) -> None:
    today = datetime.date(2026, 11, 24)
    recommended = verify(system(name), today=today).findings
    strict = verify(system(name), settings=Settings(profile="strict"), today=today).findings
    assert len(recommended) <= 30
    known = {(finding.rule.id, finding.message) for finding in recommended}
    expected = [
        (
            finding.rule.id,
            finding.severity,
            str(len(finding.occurrences)),
            "both" if (finding.rule.id, finding.message) in known else "strict",
            finding.message,
        )
        for finding in strict
    ]
    page = (ROOT / "docs" / "findings" / f"{name}.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert [tuple(row[:5]) for row in rows[1:]] == expected
    assert all(len(row[5]) > 30 for row in rows[1:])
    numbers = f"{len(recommended)} findings under `recommended`, {len(strict)} under `strict`"
    assert numbers in " ".join(page.split())
