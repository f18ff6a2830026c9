"""Documented defaults: for which version and which product they hold."""

from __future__ import annotations

import pytest

from archcheck import (
    Cassandra,
    Django,
    DynamoDB,
    Elasticsearch,
    Kafka,
    Kubernetes,
    Loki,
    MongoDB,
    MySQL,
    Nginx,
    ObjectStore,
    PhpFpm,
    RabbitMQ,
    Rails,
    Redis,
    RollingUpdate,
    SpringBoot,
    Sqs,
)
from archcheck.model import MqttProtocol, effective
from archcheck.model.element import Element
from archcheck.units import MiB, Size, s

CASES = [
    # The newest counts where no version is declared, and a release before it what it did.
    (Rails(), "threads", 3),
    (Rails("8.1"), "threads", 3),
    (Rails("7.1.5"), "threads", 5),
    (RabbitMQ("r"), "max_message", 16 * MiB),
    (RabbitMQ("r", version="4"), "max_message", 16 * MiB),
    (RabbitMQ("r", version="v3.13.7"), "max_message", 128 * MiB),
    (Kafka("k", version="2.4"), "max_message", Size(1_000_012)),
    (Kafka("k", version="3"), "max_message", Size(1_048_588)),
    (Elasticsearch("e", version="6.8"), "shards", 5),
    (Elasticsearch("e", version="7.0"), "shards", 1),
    (Loki("l", version="2.9"), "max_labels", 30),
    (MySQL("m", version="5.7"), "max_item", 4 * MiB),
    (MySQL("m", version="8.4"), "max_item", 64 * MiB),
    (SpringBoot("3.4"), "graceful_stop", 30 * s),
    (SpringBoot("3.3"), "graceful_stop", None),
    (SpringBoot("3"), "graceful_stop", None),
    # What a kind's main product does is not what the others do that it stands for.
    (MySQL("m", version="MariaDB 10.11"), "max_item", 16 * MiB),
    (MySQL("m", version="MariaDB 10.11"), "max_connections", 151),
    (Elasticsearch("e", version="OpenSearch 2.11"), "shards", 1),
    (Kafka("k", version="Redpanda 24.1"), "max_message", None),
    (Redis("r", version="Valkey 8.0"), "parallelism", 1),
    (Redis("r", version="KeyDB 6.3"), "parallelism", None),
    (Cassandra("c", version="ScyllaDB 6.2"), "parallelism", None),
    (DynamoDB("d", version="DynamoDB local 2.5"), "copies", None),
    (ObjectStore("o", product="Amazon S3"), "consistency", "strong"),
    (ObjectStore("o", product="MinIO"), "max_rate", None),
    (ObjectStore("o"), "max_rate", 3500 / s),
    # Words that are no product.
    (Redis("r", version="alpine"), "parallelism", 1),
    (Redis("r", version="8.2-alpine"), "parallelism", 1),
    # What the controller of the pods does.
    (Kubernetes(), "rollout", RollingUpdate()),
    (Kubernetes(kind="StatefulSet"), "rollout", RollingUpdate(max_surge=0, max_unavailable=1)),
    (Kubernetes(kind="DaemonSet"), "rollout", RollingUpdate(max_surge=0, max_unavailable=1)),
    (Kubernetes(kind="Job"), "rollout", None),
    (Kubernetes(kind="StatefulSet"), "replicas", 1),
    (Kubernetes(kind="DaemonSet"), "replicas", None),
    # Numbers that depend on the machine are not documented ones.
    (MongoDB("m"), "max_connections", None),
    (PhpFpm("8.4"), "accept_queue", None),
    (PhpFpm("8.1"), "accept_queue", 511),
    # Limits that were wrong, or that nobody had written down.
    (MqttProtocol(), "max_message", Size(268_435_455)),
    (Sqs("q"), "max_message", 1 * MiB),
    (Nginx(), "max_request", 1 * MiB),
    (Django(), "graceful_stop", 30 * s),
]


@pytest.mark.parametrize(
    ("part", "attribute", "value"),
    CASES,
    ids=[f"{type(part).__name__}-{attribute}-{n}" for n, (part, attribute, _) in enumerate(CASES)],
)
def test_a_default_holds_for_its_version_and_product(
    part: Element, attribute: str, value: object
) -> None:
    found = effective(part, attribute)
    assert found.value == value
    assert found.origin == ("unknown" if value is None else "default")


def test_what_is_declared_comes_before_any_default() -> None:
    assert effective(MySQL("m", version="5.7", max_item=1 * MiB), "max_item").origin == "declared"
