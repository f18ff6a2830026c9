"""Compose files say what ``docker compose config`` resolves, and nothing more."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from commands import archcheck
from imported import service

from archcheck import (
    Absent,
    Docker,
    MongoDB,
    MySQL,
    PostgreSQL,
    Probe,
    Redis,
    Resources,
    Service,
    SpringBoot,
)
from archcheck.importing import Choices, Import, import_paths
from archcheck.model import ModelError, Place, RollingUpdate
from archcheck.units import Cpu, MiB, s


def write(folder: Path, **files: str) -> None:
    """Files by name; two underscores are a dot, and three a slash."""
    for name, text in files.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def compose(folder: Path, text: str, **choices: object) -> Import:
    write(folder, compose__yaml=text)
    return import_paths([folder / "compose.yaml"], choices=Choices(**choices))  # type: ignore[arg-type]


def docker(found: Import, name: str) -> Docker:
    deployment = service(found, name).deployment
    assert isinstance(deployment, Docker)
    return deployment


def pairs(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def test_what_a_service_says_is_in_the_model(tmp_path: Path) -> None:
    found = compose(
        tmp_path,
        """
        services:
          web:
            image: shop/web:1.2
            restart: on-failure:3
            stop_grace_period: 1m30s
            deploy:
              replicas: 3
              resources:
                limits: {cpus: "0.50", memory: 300M}
                reservations: {memory: 64m}
              update_config: {parallelism: 1, order: start-first}
            healthcheck:
              test: ["CMD-SHELL", "curl -f http://localhost/health || exit 1"]
              interval: 10s
              timeout: 2s
              retries: 5
              start_period: 20s
        """,
    )
    assert docker(found, "web") == Docker(
        image="shop/web:1.2",
        restart="on-failure",
        replicas=3,
        grace=90 * s,
        resources=Resources(memory=64 * MiB, cpu_limit=Cpu(0.5), memory_limit=300 * MiB),
        rollout=RollingUpdate(max_surge=1, max_unavailable=0),
        readiness=Probe(
            "exec",
            "curl -f http://localhost/health || exit 1",
            period=10 * s,
            timeout=2 * s,
            failure_threshold=5,
            initial_delay=20 * s,
        ),
    )


def test_depends_on_is_an_order_of_starts_in_both_forms(tmp_path: Path) -> None:
    found = compose(
        tmp_path,
        """
        services:
          web: {image: a, depends_on: [api]}
          api: {image: b, depends_on: {db: {condition: service_healthy}}}
          db: {image: "mongo:4.4"}
        """,
    )
    assert service(found, "web").start_after == ("api",)
    assert service(found, "api").start_after == ("db",)
    assert not found.joined.edges
    assert isinstance(found.system.find("db"), MongoDB)


def test_anchors_are_merged_and_extends_followed(tmp_path: Path) -> None:
    write(
        tmp_path,
        base__yml="""
        services:
          base: {image: "shop/base:1", restart: always, environment: {LEVEL: info}}
        """,
    )
    found = compose(
        tmp_path,
        """
        x-limits: &limits
          mem_limit: 1g
        services:
          web:
            extends: {file: base.yml, service: base}
            <<: *limits
            environment: [API_URL=http://api:80]
          api: {image: x, <<: *limits}
        """,
    )
    assert docker(found, "web") == Docker(
        image="shop/base:1", restart="always", resources=Resources(memory_limit=1024 * MiB)
    )
    assert docker(found, "api").resources == Resources(memory_limit=1024 * MiB)
    assert pairs(found) == {("web", "api")}


def test_variables_come_from_env_files_and_defaults_never_from_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "from-the-shell")
    write(tmp_path, __env="NAME=web\nREPO=shop/${NAME} # a comment\nDB_ADDR=db:5432\n")
    found = compose(
        tmp_path,
        """
        services:
          web:
            image: ${REPO}:${TAG:-1.${MINOR-2}}
            environment: [DB_ADDR]
            scale: ${COUNT:-2}
          other: {image: "shop/other:${UNSET}", scale: "${NOBODY}"}
          db: {image: postgres}
        """,
    )
    assert docker(found, "web") == Docker(image="shop/web:1.2", replicas=2)
    assert docker(found, "other").replicas is None
    assert pairs(found) == {("web", "db")}
    said = [remark.sentence for remark in found.joined.remarks]
    assert "the variable UNSET is set by no file and has no default" in said


def test_includes_make_one_project_and_an_override_lies_on_top(tmp_path: Path) -> None:
    write(
        tmp_path,
        app___compose__yaml="include: [../api/compose.yaml]\nservices: {web: {image: w}}\n",
        app___compose__override__yaml="""
            services:
              web: {environment: [API_URL=http://api:80]}
              api: {restart: always}
            """,
        api___compose__yaml="services: {api: {image: a}, db: {image: 'postgres:16.1'}}\n",
    )
    found = import_paths([tmp_path])
    assert {element.name for element in found.system.elements} == {"web", "api", "db"}
    assert pairs(found) == {("web", "api")}
    assert docker(found, "api") == Docker(image="a", restart="always")
    store = found.system.find("db")
    assert isinstance(store, PostgreSQL)
    assert store.version == "16.1"


def test_overlays_are_left_out_until_they_are_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose__yaml="services: {web: {image: w}}",
        compose__full__yaml="services: {web: {restart: always}, api: {image: a}}",
    )
    found = import_paths([tmp_path])
    assert [element.name for element in found.system.elements] == ["web"]
    [(path, reason)] = found.skipped
    assert path.endswith("compose.full.yaml")
    assert "overlay" in reason
    both = import_paths([tmp_path / "compose.yaml", tmp_path / "compose.full.yaml"])
    assert docker(both, "web") == Docker(image="w", restart="always")
    assert {element.name for element in both.system.elements} == {"web", "api"}


def test_files_with_different_services_are_one_system_where_none_is_the_default(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        docker_compose_app__yml="""
        services:
          web: {image: shop/web, environment: {DB_HOST: db}, depends_on: [orders]}
          orders: {image: shop/orders}
        """,
        docker_compose_dev__yml="services: {web: {image: shop/web:dev}, tool: {image: tool}}",
        docker_compose_env__yml="services: {db: {image: mysql}}",
        docker_compose_test__yml="services: {tests: {image: shop/tests}}",
    )
    found = import_paths([tmp_path])
    assert {element.name for element in found.system.elements} == {"web", "orders", "db"}
    assert pairs(found) == {("web", "db")}
    assert {Path(path).name for path, _ in found.skipped} == {
        "docker_compose_dev.yml",
        "docker_compose_test.yml",
    }


def test_profiles_are_off_unless_chosen(tmp_path: Path) -> None:
    text = "services: {web: {image: w}, debug: {image: d, profiles: [dev]}}"
    assert len(compose(tmp_path, text).system.elements) == 1
    assert len(compose(tmp_path, text, profiles=("dev",)).system.elements) == 2
    assert len(compose(tmp_path, text, profiles=("*",)).system.elements) == 2


def test_the_env_file_says_which_files_and_profiles_are_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose__yaml="services: {web: {image: w}, tool: {image: t, profiles: [full]}}",
        compose__search__yaml="services: {search: {image: s, profiles: [full, some]}}",
        compose__logs__yaml="services: {logs: {image: l}}",
        compose__override__yaml="services: {more: {image: m}}",
    )
    (tmp_path / ".env").write_text(
        "COMPOSE_FILE=compose.yaml:./compose.search.yaml\nCOMPOSE_PROFILES=some,other\n"
    )
    found = import_paths([tmp_path])
    assert {element.name for element in found.system.elements} == {"web", "search"}
    assert [Path(path).name for path, _ in found.skipped] == ["compose.logs.yaml"]
    chosen = import_paths([tmp_path], choices=Choices(profiles=("full",)))
    assert {e.name for e in chosen.system.elements} == {"web", "tool", "search"}


def test_a_health_check_that_is_off_is_absent(tmp_path: Path) -> None:
    found = compose(tmp_path, "services: {web: {image: w, healthcheck: {disable: true}}}")
    assert isinstance(docker(found, "web").readiness, Absent)


def test_links_are_edges_and_orders(tmp_path: Path) -> None:
    found = compose(
        tmp_path, "services: {web: {image: w, links: ['store:cache']}, store: {image: redis}}"
    )
    assert pairs(found) == {("web", "store")}
    assert service(found, "web").start_after == ("store",)


def test_a_link_has_a_name_of_its_own(tmp_path: Path) -> None:
    """``es`` of one service is not ``es`` of another."""
    found = compose(
        tmp_path,
        """
        services:
          logs: {image: logs, links: ["search:es"], environment: {HOSTS: "http://es:9200"}}
          shop: {image: shop, external_links: ["store:db"], environment: {DB_URL: "mysql://db/x"}}
          other: {image: other, environment: {ES_URL: "http://es:9200"}}
          search: {image: elasticsearch}
          store: {image: mysql}
        """,
    )
    assert pairs(found) == {("logs", "search"), ("shop", "store")}
    assert [reach.element for reach in found.joined.unexplained] == ["other"]


def test_names_in_the_network_are_hosts(tmp_path: Path) -> None:
    found = compose(
        tmp_path,
        """
        services:
          web:
            image: w
            command: ["serve", "--carts=http://carts:80", "--pay-host=pay.internal"]
          cart: {image: c, hostname: carts}
          pay: {image: p, networks: {default: {aliases: [pay.internal]}}}
        """,
    )
    assert pairs(found) == {("web", "cart"), ("web", "pay")}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ("image: acme/books, environment: [MYSQL_ROOT_PASSWORD=x]", MySQL),
        ("image: acme/books, expose: ['5432']", PostgreSQL),
        ("image: acme/books, ports: ['127.0.0.1:7000:6379/tcp']", Redis),
        ("image: acme/books", Service),
        ("image: bitnami/mongodb", MongoDB),
        ("build: ., expose: [3306]", Service),
        ("build: ., environment: {MYSQL_ROOT_PASSWORD_FILE: /run/secrets/x}", MySQL),
        ("image: envoyproxy/envoy, expose: ['6379']", Service),
    ],
)
def test_signs_of_products(tmp_path: Path, settings: str, kind: type) -> None:
    found = compose(tmp_path, f"services: {{it: {{{settings}}}}}")
    assert type(found.system.find("it")) is kind


def test_a_shared_block_of_addresses_is_a_list_of_everybody(tmp_path: Path) -> None:
    found = compose(
        tmp_path,
        """
        x-all: &all {ORDERS_ADDR: "orders:80", STOCK_ADDR: "stock:80"}
        services:
          web: {image: w, environment: *all}
          orders: {image: o, environment: {<<: *all, LEVEL: info}}
          stock: {image: s}
        """,
    )
    assert pairs(found) == {("web", "orders"), ("web", "stock")}
    assert [c.reach.element for c in found.joined.candidates] == ["orders"]


def test_an_env_file_of_everybodys_is_one_too_and_one_of_its_own_is_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        all__env="ORDERS_HOST=orders\nSTOCK_HOST=stock\n",
        own__env="PAY_HOST=pay\nBANK_URL=http://bank:80\n",
    )
    found = compose(
        tmp_path,
        """
        services:
          web: {image: w, env_file: all.env}
          orders: {image: o, env_file: [all.env]}
          stock: {image: s}
          pay: {image: p, env_file: {path: own.env}}
          bank: {image: b, env_file: gone.env}
        """,
    )
    assert pairs(found) == {("web", "orders"), ("web", "stock"), ("pay", "bank")}
    [candidate] = found.joined.candidates
    assert candidate.reach.place == Place(str(tmp_path / "all.env"), 2)


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("services:\n  web:\n    scale: lots\n", 3, "scale must be a whole number, got 'lots'"),
        ("services:\n  web:\n    extends: nobody\n", 3, "'web' extends 'nobody', which is not"),
        ("services:\n  a:\n    extends: b\n  b:\n    extends: a\n", 3, "extends itself"),
        ("services:\n  web: 3\n", 2, "the service 'web' must be a mapping, got '3'"),
        ("services:\n  web:\n    image: a\n    image: b\n", 2, "the key 'image' appears twice"),
        (
            "services:\n  web:\n    deploy:\n      mode: a\n      mode: b\n",
            3,
            "'mode' appears twice",
        ),
        ("include: [../../x.yaml]\nservices: {a: {image: b}}\n", 1, "lies outside of"),
        ("services:\n  web: [\n", 3, "is not YAML"),
        ("services:\n  web:\n    mem_limit: big\n", 3, "mem_limit must be a size such as 512M"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    with pytest.raises(ModelError) as error:
        compose(tmp_path, text)
    assert sentence in str(error.value)
    assert error.value.place == Place(str(tmp_path / "compose.yaml"), line)


def test_laughing_anchors_are_refused(tmp_path: Path) -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ModelError, match="stands for more than 1,000,000 values"):
        compose(tmp_path, "\n".join([*lines, "services: {web: {image: w}}"]))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is nested deeper than 100"):
        compose(tmp_path, f"services: {'[' * 100_000}")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, outside__yaml="services: {hidden: {image: h}}", in___compose__yaml="{}")
    (tmp_path / "in" / "compose.yaml").unlink()
    (tmp_path / "in" / "compose.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(ModelError, match="nothing in"):
        import_paths([tmp_path / "in"])


def test_verify_takes_a_compose_file(tmp_path: Path) -> None:
    write(tmp_path, compose__yaml="services:\n  web:\n    image: nginx:latest\n")
    done = archcheck("verify", "compose.yaml", cwd=tmp_path)
    assert "DEP001" in done.stdout, done.stderr
    assert "--> compose.yaml:2" in done.stdout


def test_one_context_of_all_services_is_told_apart_by_their_dockerfiles(tmp_path: Path) -> None:
    """Only one of them built here: what else lies in the repository is not its."""
    write(
        tmp_path,
        compose__yaml="""
        services:
          orders: {build: {context: ., dockerfile: services/orders-api/Dockerfile}}
          edge: {image: shop/edge}
        """,
        services___orders_api___src___application__properties="server.tomcat.threads.max=30",
        proxies___application__properties="server.tomcat.threads.max=77",
    )
    (tmp_path / "services/orders_api").rename(tmp_path / "services/orders-api")
    found = import_paths([tmp_path])
    runtime = service(found, "orders").runtime
    assert isinstance(runtime, SpringBoot)
    assert runtime.threads == 30
    assert {element.name for element in found.system.elements} == {"orders", "edge"}
