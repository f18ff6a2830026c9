"""What the settings of applications say of their runtimes, stores and clients."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from imported import service, write

from archcheck import (
    Client,
    Gateway,
    Kafka,
    Micronaut,
    PostgreSQL,
    SpringBoot,
    SpringWebFlux,
)
from archcheck.importing import Choices, Import, import_paths
from archcheck.model import Bulkhead, CircuitBreaker, ModelError, Pool, RateLimit, Retry
from archcheck.units import Rate, ms, percent, s

SAMPLE = Path(__file__).parent / "catalogue_samples" / "application.yml"
OTHERS = """
    services:
      orders: {image: own/orders}
      stock: {image: own/stock}
      billing: {image: own/billing}
      front: {image: own/front}
      orders-db: {image: "postgres:16"}
      kafka: {image: "apache/kafka:3.8.0"}
      sessions: {image: "redis:7"}
"""


def edges(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    write(tmp_path, compose_dot_yaml=OTHERS)
    (tmp_path / "application.yml").write_text(SAMPLE.read_text())
    return tmp_path


def test_an_application_says_how_it_runs_and_whom_it_asks(shop: Path) -> None:
    found = import_paths([shop])
    orders = service(found, "orders")
    assert orders.runtime == SpringBoot(
        threads=80, accept_queue=170, concurrency=None, graceful_stop=20 * s
    )
    assert orders.pools == (Pool("orders-db", size=20, max_wait=3 * s),)
    clients = {client.target: client for client in orders.clients}
    assert [*clients] == ["orders-db", "kafka", "sessions", "stock", "billing"]
    assert clients["stock"] == Client(
        "stock",
        timeout=2 * s,
        retry=Retry(attempts=4, backoff=100 * ms, factor=2),
        breaker=CircuitBreaker(
            failure_rate=40 * percent, window=10, minimum_calls=5, open_for=5 * s
        ),
        bulkhead=Bulkhead(12, max_wait=10 * ms),
        rate_limit=RateLimit(Rate(12.0), burst=6, per="replica"),
    )
    assert clients["billing"] == Client(
        "billing",
        timeout=2 * s,
        connect_timeout=500 * ms,
        retry=Retry(attempts=3, backoff=200 * ms, factor=1),
        breaker=CircuitBreaker(
            failure_rate=40 * percent,
            window=30 * s,
            minimum_calls=5,
            slow_call=800 * ms,
            slow_call_rate=60 * percent,
        ),
    )
    listed = remarks(found)
    for words in (
        "orders is not known to reach nobody: breaker is left out",
        "a timeout of all clients of Feign is left out",
        "the settings of the profile prod are off",
        "2 settings have no word in a model (server.port, logging.level)",
    ):
        assert [each for each in listed if words in each], (words, listed)
    assert [c.reach.said for c in found.joined.candidates] == ["the setting cors.allowed-origins"]


def test_an_image_is_called_as_the_application_that_it_holds(tmp_path: Path) -> None:
    """Or as its module, where the application has no name: builds call images so."""
    write(
        tmp_path,
        compose_dot_yaml="""
        services:
          user: {image: "shop/cloud-user:1"}
          config: {image: "shop/cloud-config:1"}
          stock: {image: "shop/other:1"}
        """,
        a__application_dot_properties="spring.application.name=cloud-user\nserver.tomcat.threads.max=7",
        cloud___config__application_dot_properties="server.tomcat.threads.max=8",
    )
    (tmp_path / "cloud").mkdir(exist_ok=True)
    (tmp_path / "cloud/_config").rename(tmp_path / "cloud-config")
    found = import_paths([tmp_path])
    assert {element.name for element in found.system.elements} == {"user", "config", "stock"}
    assert service(found, "user").runtime == SpringBoot(threads=7)
    assert service(found, "config").runtime == SpringBoot(threads=8)


def test_modules_of_one_name_are_called_after_their_folders(tmp_path: Path) -> None:
    """A name that was copied with the file: the module that is called so keeps it."""
    named = "spring.application.name=orders\nserver.tomcat.threads.max="
    write(
        tmp_path,
        compose_dot_yaml="services: {orders: {image: shop/orders}}",
        delivery__src__main__resources__application_dot_properties=f"{named}5",
        orders__src__main__resources__application_dot_properties=f"{named}6",
        checks__orders__src__main__resources__application_dot_properties="spring.application.name=t",
        checks__stock__src__main__resources__application_dot_properties="spring.application.name=t",
        orders__src__it__resources__application_dot_properties=f"{named}7",
    )
    found = import_paths([tmp_path])
    assert {element.name for element in found.system.elements} == {
        "orders",
        "delivery",
        "checks/orders",
        "stock",
    }
    assert service(found, "orders").runtime == SpringBoot(threads=6)
    assert any(path.endswith("orders/src/it/") for path, _ in found.skipped)


def test_an_application_is_one_however_often_a_repository_has_it(tmp_path: Path) -> None:
    named = "spring.application.name=orders\nserver.tomcat.threads.max="
    write(
        tmp_path,
        first__orders__application_dot_properties=f"{named}5",
        second__orders__application_dot_properties=f"{named}6",
    )
    found = import_paths([tmp_path])
    [orders] = found.system.elements
    assert service(found, orders.name).runtime == SpringBoot(threads=5)
    [(path, why)] = found.skipped
    assert path.endswith("second/orders/application.properties")
    assert why == "the application orders once more: name its folder to import it"


@pytest.mark.parametrize(
    ("settings", "orders", "stock"),
    [
        (
            """
            spring.cloud.gateway:
              httpclient: {connect-timeout: 1000, response-timeout: 5s}
              routes:
                - {id: a, uri: "lb://orders"}
                - {id: b, uri: "http://stock:80", metadata: {response-timeout: 200}}
            """,
            (5 * s, 1 * s),
            (200 * ms, 1 * s),
        ),
        (
            """
            ribbon: {ReadTimeout: 9000, ConnectTimeout: 300}
            hystrix.command.default.execution.isolation.thread.timeoutInMilliseconds: 4000
            zuul:
              host: {socket-timeout-millis: 700}
              routes:
                orders: {path: /orders/**}
                other: {path: /stock/**, url: "http://stock:80"}
            """,
            (4 * s, 300 * ms),
            (700 * ms, None),
        ),
        (
            """
            spring.cloud.gateway:
              httpclient: {response-timeout: 5s}
              routes:
                - {id: a, uri: "lb://orders", metadata: {response-timeout: -1}}
                - {id: b, uri: "lb://stock"}
            """,
            (None, None),
            (5 * s, None),
        ),
    ],
)
def test_a_gateway_waits_for_those_behind_its_routes(
    shop: Path, settings: str, orders: object, stock: object
) -> None:
    write(shop, front__application_dot_yml="spring.application.name: front\n" + dedent(settings))
    clients = {each.target: each for each in service(import_paths([shop]), "front").clients}
    waits = {name: (each.timeout, each.connect_timeout) for name, each in clients.items()}
    assert waits == {"orders": orders, "stock": stock}


@pytest.mark.parametrize(
    "told",
    [
        "environment: {SPRING_PROFILES_ACTIVE: 'docker, cloud'}",
        "command: java -Dspring.profiles.active=docker -jar app.jar",
        "environment: {JAVA_TOOL_OPTIONS: '-Xmx1g -Dspring.profiles.active=docker'}",
    ],
)
def test_the_profiles_of_a_deployment_are_on(tmp_path: Path, told: str) -> None:
    """``docker`` of one application is not ``docker`` of another, and counts before the file's."""
    settings = """
        spring:
          application: {name: NAME}
          profiles: {active: local}
        ---
        spring:
          config: {activate: {on-profile: docker}}
          data: {redis: {host: sessions}}
    """
    write(
        tmp_path,
        compose_dot_yaml=f"""
        services:
          orders: {{image: own/orders, {told}}}
          stock: {{image: own/stock}}
          sessions: {{image: "redis:7"}}
        """,
    )
    for name in ("orders", "stock"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, application_dot_yml=settings.replace("NAME", name))
    found = import_paths([tmp_path])
    assert edges(found) == {("orders", "sessions")}


def test_profiles_that_are_on_are_on_top(shop: Path) -> None:
    found = import_paths([shop], choices=Choices(profiles=("prod",)))
    assert getattr(service(found, "orders").runtime, "threads", None) == 400
    (shop / "application.yml").write_text(
        SAMPLE.read_text().replace("cors.allowed-origins: http://front:3000",
                                   "spring.profiles.active: prod")
    )  # fmt: skip
    found = import_paths([shop])
    assert getattr(service(found, "orders").runtime, "threads", None) == 400


def test_alone_its_stores_are_those_that_its_urls_name() -> None:
    system = import_paths([SAMPLE]).system
    kinds = {element.name: type(element) for element in system.elements}
    assert kinds["orders-db"] is PostgreSQL
    assert kinds["kafka"] is Kafka
    assert "secret" not in repr(system)


def test_properties_are_the_same_settings(tmp_path: Path) -> None:
    text = """
        # of the team
        ! also of the team
        spring.application.name = web
        server.tomcat.threads.max:30
        spring.datasource.url=jdbc:mysql://${DB_HOST}:3306/x
        spring.datasource.hikari.maximumPoolSize = \\
            12
        spring.main.web-application-type servlet
        #---
        spring.config.activate.on-profile=cloud
        server.tomcat.threads.max=300
        """
    found = import_paths([write(tmp_path, application_dot_properties=text)])
    web = service(found, "web")
    assert web.runtime == SpringBoot(threads=30, connection_pool=12)
    assert not found.joined.edges
    assert web.runtime is not None
    assert web.runtime.site is not None


def test_gateways_and_reactive_applications(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml="services: {edge: {image: own/edge}, cart: {image: own/cart}}",
        a__src__main__resources__application_dot_yml="""
            spring:
              application: {name: edge}
              cloud.gateway.routes: [{id: cart, uri: "lb://cart", predicates: ["Path=/c/**"]}]
            """,
        b__src__main__resources__application_dot_yml="""
            spring: {application: {name: old}}
            zuul.routes:
              cart: /cart/**
              more: {path: /more/**, serviceId: edge}
            """,
    )
    found = import_paths([tmp_path])
    edge = found.system.find("edge")
    assert isinstance(edge, Gateway)
    assert edge.runtime == SpringWebFlux()
    assert isinstance(found.system.find("old"), Gateway)
    assert edges(found) == {("edge", "cart"), ("old", "cart"), ("old", "edge")}
    assert not found.joined.conflicts


def test_an_application_without_a_name_is_what_is_built_from_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml="services: {web: {build: apps/front}, other: {image: x}}",
        apps__front__src__main__resources__application_dot_yml="server.tomcat.threads.max: 7\n",
        apps__back__src__main__resources__application_dot_yml="server.tomcat.threads.max: 8\n",
    )
    found = import_paths([tmp_path])
    assert [element.name for element in found.system.elements] == ["web", "other"]
    assert getattr(service(found, "web").runtime, "threads", None) == 7
    assert [each for each in remarks(found) if each.startswith("back is described here")]


def test_a_config_server_has_settings_for_those_who_ask_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__src__main__resources__bootstrap_dot_yml="""
            spring: {application: {name: accounts}, cloud: {config: {uri: "http://config:8888"}}}
            """,
        b__src__main__resources__application_dot_yml="""
            spring: {application: {name: config}, cloud: {config: {server: {native: {}}}}}
            """,
        b__src__main__resources__shared__application_dot_yml="""
            spring.rabbitmq.host: rabbitmq
            server.tomcat.threads.max: 5
            """,
        b__src__main__resources__shared__accounts_dot_yml="""
            server.tomcat.threads.max: 6
            spring.data.mongodb.host: accounts-db
            """,
        b__src__main__resources__shared__else_dot_yml="server.port: 1\n",
    )
    found = import_paths([tmp_path])
    assert edges(found) == {
        ("accounts", "config"), ("accounts", "rabbitmq"), ("accounts", "accounts-db"),
    }  # fmt: skip
    assert getattr(service(found, "accounts").runtime, "threads", None) == 6
    assert getattr(service(found, "config").runtime, "threads", None) is None


def test_micronaut(tmp_path: Path) -> None:
    text = """
        micronaut:
          application: {name: rates}
          netty.event-loops.default.num-threads: 4
          http.services:
            books: {url: "http://books:8080", read-timeout: 5s, connect-timeout: 250ms}
        datasources:
          default: {url: "jdbc:postgresql://rates-db:5432/x", maximum-pool-size: 9}
        kafka.bootstrap.servers: broker:9092
        """
    write(tmp_path, application_dot_yml=text, compose_dot_yaml="services: {books: {image: x}}")
    found = import_paths([tmp_path])
    rates = service(found, "rates")
    assert rates.runtime == Micronaut(parallelism=4)
    assert rates.pools == (Pool("rates-db", size=9),)
    clients = {client.target: client for client in rates.clients}
    assert clients["books"] == Client("books", timeout=5 * s, connect_timeout=250 * ms)
    assert isinstance(found.system.find("broker"), Kafka)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("server.tomcat.threads.max: many", "threads must be a whole number"),
        ("resilience4j.retry.instances.x.waitDuration: soon", "waitDuration must be a duration"),
        ("resilience4j.bulkhead.instances.x.maxConcurrentCalls: 0", "at least 1"),
        ("resilience4j.circuitbreaker.instances.x.failureRateThreshold: 0", "above 0"),
        ("x: " + "y" * 5_000 + "\nz: ${x}${x}${x}", "stands for more than 10,000 letters"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, line: str, sentence: str
) -> None:
    text = f"spring.application.name: a\n{line}\n"
    path = tmp_path / "application.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([path])
    assert error.value.place is not None
    assert error.value.place.line >= 2
