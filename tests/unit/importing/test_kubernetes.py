"""Kubernetes manifests say what runs, how often, with what, and who is given whose address."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from commands import archcheck

from archcheck import (
    Absent,
    Autoscale,
    Kubernetes,
    Managed,
    MySQL,
    ObjectStore,
    PostgreSQL,
    Probe,
    Redis,
    Resources,
    Service,
)
from archcheck.importing import Import, import_paths
from archcheck.importing.joined import Candidate
from archcheck.importing.products import version_of
from archcheck.model import ModelError, Place
from archcheck.units import Cpu, MiB, percent, s

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  labels: {team: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: server
        image: shop/front:1.2
        env:
        - name: CART_ADDR
          value: "cart:7070"
        - name: GREETING
          value: "cart"
        resources:
          requests: {cpu: 100m, memory: 64Mi}
          limits: {cpu: 250m}
        readinessProbe:
          httpGet: {path: /ready, port: 8080}
          periodSeconds: 5
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 7070}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - {name: cart, image: "shop/cart:2", env: [{name: STORE_URL, value: "redis://store:6379"}]}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec: {selector: {app: store}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: store, image: "redis:7.2-alpine"}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: front}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: front}
  minReplicas: 2
  maxReplicas: 9
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
"""


def read(folder: Path, text: str, name: str = "shop.yaml") -> Import:
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return import_paths([folder / name])


def pairs(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def test_what_a_manifest_says_is_in_the_model(tmp_path: Path) -> None:
    front = read(tmp_path, SHOP).system.find("front")
    assert isinstance(front, Service)
    assert front.owner == "web"
    assert front.deployment == Kubernetes(
        image="shop/front:1.2",
        replicas=3,
        grace=5 * s,
        resources=Resources(cpu=Cpu(0.1), memory=64 * MiB, cpu_limit=Cpu(0.25)),
        readiness=Probe("http", "/ready", period=5 * s),
        autoscale=Autoscale(min=2, max=9, target_cpu=70 * percent),
    )


def test_what_no_manifest_says_stays_unknown(tmp_path: Path) -> None:
    cart = read(tmp_path, SHOP).system.find("cart")
    assert isinstance(cart, Service)
    deployment = cart.deployment
    assert isinstance(deployment, Kubernetes)
    assert (deployment.replicas, deployment.readiness, deployment.resources) == (None, None, None)
    assert not cart.endpoints


def test_addresses_are_edges_and_words_are_not(tmp_path: Path) -> None:
    found = read(tmp_path, SHOP)
    assert pairs(found) == {("front", "cart"), ("cart", "store")}
    cart = found.system.find("cart")
    assert isinstance(cart, Service)
    assert [client.target for client in cart.clients] == ["store"]


def test_an_image_names_the_product_and_its_version(tmp_path: Path) -> None:
    store = read(tmp_path, SHOP).system.find("store")
    assert isinstance(store, Redis)
    assert store.version == "7.2"


def test_every_value_remembers_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, SHOP)
    file = str(tmp_path / "shop.yaml")
    front = found.system.find("front")
    assert isinstance(front, Service)
    assert front.deployment is not None
    assert front.site is not None
    assert found.system.place(front) == Place(file, 5)
    site = front.deployment.site
    assert site is not None
    assert site.values["replicas"] == Place(file, 8)
    assert site.values["image"] == Place(file, 16)
    probe = front.deployment.readiness
    assert isinstance(probe, Probe)
    assert probe.site is not None
    assert probe.site.values["period"] == Place(file, 27)
    assert front.clients[0].site is not None
    assert front.clients[0].site.place == Place(file, 19)


LISTED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: addresses}
data: {ORDERS_ADDR: "orders:80", STOCK_ADDR: "stock:80"}
"""


def workload(name: str, extra: str) -> str:
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: "shop/{name}", {extra}}}]}}
"""


def test_a_list_of_everybodys_addresses_makes_candidates(tmp_path: Path) -> None:
    """Whoever is in the list himself is told where everybody is, not whom to call."""
    all_of = "envFrom: [{configMapRef: {name: addresses}}]"
    text = LISTED + workload("web", all_of) + workload("orders", all_of) + workload("stock", "")
    found = read(tmp_path, text)
    assert pairs(found) == {("web", "orders"), ("web", "stock")}
    [candidate] = found.joined.candidates
    assert isinstance(candidate, Candidate)
    assert (candidate.reach.element, candidate.targets) == ("orders", ("stock",))
    assert candidate.reach.place.line == 5


def test_the_scheme_of_an_address_names_the_product(tmp_path: Path) -> None:
    url = 'env: [{name: SPRING_DATASOURCE_URL, value: "jdbc:postgresql://ledger:5432/books"}]'
    found = read(tmp_path, workload("web", url) + workload("ledger", ""))
    assert isinstance(found.system.find("ledger"), PostgreSQL)


def test_a_store_that_nobody_deploys_runs_elsewhere(tmp_path: Path) -> None:
    url = 'env: [{name: DB, value: "postgres://me:secret@db.example.com/books"}]'
    found = read(tmp_path, workload("web", url))
    store = found.system.find("db-example-com")
    assert isinstance(store, PostgreSQL)
    assert "secret" not in str(store)


def test_a_store_of_another_namespace_has_its_own_name(tmp_path: Path) -> None:
    """Not the whole host: nobody calls a database ``books-data-svc-cluster-local``."""
    url = 'env: [{name: DB_URL, value: "jdbc:mysql://books.data.svc.cluster.local/all"}]'
    found = read(tmp_path, workload("web", url))
    assert isinstance(found.system.find("books"), MySQL)
    taken = read(tmp_path, workload("web", url.replace("books", "web")))
    assert isinstance(taken.system.find("web-data-svc-cluster-local"), MySQL)


@pytest.mark.parametrize(
    "setting",
    ["EventBusConnection", "ConnectionString", "ConnectionStrings__Bus", "BUS_CONNECTION_STRING"],
)
def test_a_bare_word_in_a_connection_of_dotnet_is_a_host(tmp_path: Path, setting: str) -> None:
    env = f"env: [{{name: {setting}, value: bus}}, {{name: DB_CONNECTION, value: stock}}]"
    found = read(tmp_path, workload("web", env) + workload("bus", "") + workload("stock", ""))
    assert pairs(found) == {("web", "bus")}


def test_a_list_of_urls_has_the_host_of_each(tmp_path: Path) -> None:
    env = 'env: [{name: OAP, value: "http://a:12800,http://b:12800"}]'
    found = read(tmp_path, workload("web", env) + workload("a", "") + workload("b", ""))
    assert pairs(found) == {("web", "a"), ("web", "b")}
    assert not found.joined.unexplained


@pytest.mark.parametrize("name", ["orders-redis", "redis-cache", "redis-master-0", "redis"])
def test_a_name_says_a_product_by_its_last_word_or_its_first(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, workload(name, "") + workload("redis-export-job", ""))
    assert isinstance(found.system.find(name), Redis)
    assert isinstance(found.system.find("redis-export-job"), Service)


def test_a_bucket_says_no_product(tmp_path: Path) -> None:
    """MinIO, SeaweedFS and others have the API of S3."""
    found = read(tmp_path, workload("web", 'env: [{name: BUCKET, value: "s3://profiles"}]'))
    assert found.system.find("profiles") == ObjectStore(
        "profiles",
        description="known from s3://profiles in the environment BUCKET of web",
        deployment=Managed(),
    )


def test_a_bucket_of_a_server_of_ones_own_is_no_host(tmp_path: Path) -> None:
    url = "s3://profiles?region=x&endpoint=seaweed:8333&s3ForcePathStyle=true"
    env = f'env: [{{name: BUCKET, value: "{url}"}}]'
    found = read(tmp_path, workload("web", env) + workload("seaweed", ""))
    assert pairs(found) == {("web", "seaweed")}
    assert isinstance(found.system.find("seaweed"), ObjectStore)
    assert "profiles" not in {element.name for element in found.system.elements}


def test_who_reaches_a_store_is_none_because_of_his_name(tmp_path: Path) -> None:
    env = "env: [{name: MYSQL_DB_HOST, value: mysql}]"
    found = read(tmp_path, workload("ratings-mysql", env) + workload("mysql", ""))
    assert isinstance(found.system.find("mysql"), MySQL)
    assert isinstance(found.system.find("ratings-mysql"), Service)
    assert pairs(found) == {("ratings-mysql", "mysql")}


def test_millicores_are_those_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, workload("web", "resources: {requests: {cpu: 102m}}"))
    web = found.system.find("web")
    assert isinstance(web, Service)
    assert isinstance(web.deployment, Kubernetes)
    assert str(web.deployment.resources.cpu) == "102 m"  # type: ignore[union-attr]  # it has both


def test_what_is_no_address_of_the_system_is_listed(tmp_path: Path) -> None:
    url = 'env: [{name: MAIL_URL, value: "https://mail.example.com/v1"}]'
    found = read(tmp_path, workload("web", url))
    [reach] = found.joined.unexplained
    assert str(reach.address) == "https://mail.example.com"
    assert not found.joined.edges


@pytest.mark.parametrize("setting", ["CORS_ALLOWED_ORIGINS", "JWT_ISSUER", "NO_PROXY"])
def test_settings_that_somebody_else_uses_are_candidates(tmp_path: Path, setting: str) -> None:
    url = f'env: [{{name: {setting}, value: "http://web:80"}}]'
    found = read(tmp_path, workload("api", url) + workload("web", ""))
    assert not found.joined.edges
    assert len(found.joined.candidates) == 1


def test_the_same_object_twice_is_compared_not_mixed(tmp_path: Path) -> None:
    probe = "readinessProbe: {httpGet: {path: /ready}, periodSeconds: 5}"
    (tmp_path / "a.yaml").write_text(workload("web", "ports: []"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        workload("web", probe).replace("shop/web", "shop/web:2"), encoding="utf-8"
    )
    found = import_paths([tmp_path])
    web = found.system.find("web")
    assert isinstance(web, Service)
    assert web.deployment == Kubernetes(image="shop/web")
    [conflict] = found.joined.conflicts
    assert (conflict.kept.value, conflict.dropped.value) == ("shop/web", "shop/web:2")
    assert conflict.dropped.place.file.endswith("b.yaml")


def test_a_cron_job_is_a_schedule_of_one_named_endpoint(tmp_path: Path) -> None:
    text = """
    apiVersion: batch/v1
    kind: CronJob
    metadata: {name: report}
    spec:
      schedule: "0 3 * * *"
      jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "shop/report"}]}}}}
    """
    system = read(tmp_path, text).system
    assert [(clock.calls, clock.cron) for clock in system.schedules] == [
        ("report.run", "0 3 * * *")
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("replicas: many", "replicas must be a whole number, got 'many'"),
        ("template: [1]", "must be a mapping with the key 'spec', got a list"),
        ("replicas: 100000", "less than or equal to 10000"),
        ("a: 1\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: ''}", "name must not be empty"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
    with pytest.raises(ModelError) as error:
        read(tmp_path, f"{head}  {text}\n")
    assert sentence in str(error.value)
    line = 9 if "---" in text else 5
    assert error.value.place == Place(str(tmp_path / "shop.yaml"), line)


def test_verify_takes_a_folder_of_manifests_and_shows_its_lines(tmp_path: Path) -> None:
    container = '{containers: [{name: store, image: "redis:7.2-alpine"}]}'
    lost = '{volumes: [{name: d, emptyDir: {}}], containers: [{name: db, image: "postgres:16"}]}'
    text = SHOP.replace(container, lost)
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
    line = text[: text.index("kind: StatefulSet")].count("\n") + 2
    done = archcheck("verify", ".", cwd=tmp_path)
    assert "error[DEP008]" in done.stdout, done.stderr
    assert f"--> shop.yaml:{line}\n" in done.stdout


def test_absences_are_not_invented(tmp_path: Path) -> None:
    """A manifest without a probe says nothing about it, neither yes nor no."""
    for service in read(tmp_path, SHOP).system.services:
        assert service.deployment is not None
        assert not isinstance(getattr(service.deployment, "liveness", None), Absent)


def test_pods_of_a_stateful_set_have_hosts(tmp_path: Path) -> None:
    text = """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: bus}
    spec:
      serviceName: bus-headless
      replicas: 3
      template: {spec: {containers: [{name: k, image: "bitnami/kafka:3.7"}]}}
    """
    url = (
        'env: [{name: BROKERS, value: "bus-0.bus-headless:9092,'
        'bus-2.bus-headless.default.svc.cluster.local:9092"}]'
    )
    found = read(tmp_path, textwrap.dedent(text) + workload("web", url))
    assert pairs(found) == {("web", "bus")}
    assert not found.joined.unexplained


def test_templates_are_refused_and_older_controllers_read(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{name}}-1'}\n"
    with pytest.raises(ModelError, match="is a template: render it"):
        read(tmp_path, text)
    old = (
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: old}\nspec: {replicas: 2}\n"
    )
    assert read(tmp_path, old).system.find("old").deployment == Kubernetes(replicas=2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("apache/kafka:3.9.0", "3.9.0"),
        ("confluentinc/cp-kafka:7.5.0", None),
        ("registry.example/mirror/cp-server:7.5.0", None),
    ],
)
def test_a_tag_that_numbers_a_distribution_is_no_version(image: str, version: str | None) -> None:
    assert version_of("Kafka", image) == version
