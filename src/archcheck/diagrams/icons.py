"""The picture of a technology: an icon of the ``diagrams`` library for each kind of element.

The only module that imports ``diagrams``. A technology that the library has no icon of gets a
neutral one of its family rather than another product's.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from archcheck.diagrams.view import Icon
from archcheck.model import (
    Channel,
    Docker,
    External,
    Kubernetes,
    Named,
    Person,
    Schedule,
    Service,
)

_ICONS = {
    # frameworks
    "SpringBoot": "programming.framework.Spring",
    "SpringWebFlux": "programming.framework.Spring",
    "Micronaut": "programming.framework.Micronaut",
    "Quarkus": "programming.framework.Quarkus",
    "JavaGrpc": "programming.language.Java",
    "GoKit": "programming.language.Go",
    "Go": "programming.language.Go",
    "NodeJs": "programming.language.Nodejs",
    "FastApi": "programming.framework.FastAPI",
    "Django": "programming.framework.Django",
    "PythonGrpc": "programming.language.Python",
    "AspNetCore": "programming.framework.DotNet",
    "Rails": "programming.framework.Rails",
    "PhpFpm": "programming.language.PHP",
    "Rust": "programming.language.Rust",
    "CppThrift": "programming.language.Cpp",
    "Nginx": "onprem.network.Nginx",
    "Envoy": "onprem.network.Envoy",
    # datastores and caches
    "MySQL": "onprem.database.MySQL",
    "PostgreSQL": "onprem.database.PostgreSQL",
    "SqlServer": "onprem.database.MSSQL",
    "CockroachDB": "onprem.database.CockroachDB",
    "MongoDB": "onprem.database.MongoDB",
    "Cassandra": "onprem.database.Cassandra",
    "DynamoDB": "aws.database.Dynamodb",
    "Redis": "onprem.inmemory.Redis",
    "Memcached": "onprem.inmemory.Memcached",
    "Elasticsearch": "elastic.elasticsearch.Elasticsearch",
    "ObjectStore": "generic.storage.Storage",
    # brokers
    "Kafka": "onprem.queue.Kafka",
    "RabbitMQ": "onprem.queue.RabbitMQ",
    "Sqs": "aws.integration.SimpleQueueServiceSqs",
    "Nats": "onprem.queue.Nats",
    "Mqtt": "onprem.queue.Emqx",
    # observability
    "Prometheus": "onprem.monitoring.Prometheus",
    "Loki": "onprem.logging.Loki",
    "ElasticStack": "elastic.elasticsearch.Stack",
    "Jaeger": "onprem.tracing.Jaeger",
    "Grafana": "onprem.monitoring.Grafana",
}
_FAMILIES = {
    "datastore": "generic.database.SQL",
    "cache": "generic.storage.Storage",
    "broker": "generic.network.Switch",
    "platform": "generic.storage.Storage",
    "external": "onprem.network.Internet",
    "person": "onprem.client.Users",
    "schedule": "k8s.compute.Cronjob",
    "kubernetes": "k8s.compute.Deploy",
    "docker": "onprem.container.Docker",
    "service": "onprem.compute.Server",
}


def icon_of(member: Named, broker: Named | None = None) -> str:
    """The icon of the library that shows ``member``; a topic is shown as its ``broker``."""
    return _ICONS.get(_technology(member, broker)) or _FAMILIES[_family(member)]


@cache
def icon_file(icon: Icon) -> Path:
    """The file of an icon."""
    if isinstance(icon, Path):
        return icon
    import diagrams  # only pictures need it: without it, text formats are still written

    module, _, name = icon.rpartition(".")
    node = getattr(importlib.import_module(f"diagrams.{module}"), name)
    return Path(diagrams.__file__).parent.parent / str(node._icon_dir) / str(node._icon)


def _technology(member: Named, broker: Named | None) -> str:
    if isinstance(member, Service) and member.runtime is not None:
        return type(member.runtime).__name__
    if isinstance(member, Channel) and broker is not None:
        return type(broker).__name__
    return type(member).__name__


def _family(member: Named) -> str:
    match member:
        case Service(deployment=Kubernetes()):
            return "kubernetes"
        case Service(deployment=Docker()):
            return "docker"
        case External():
            return "external"
        case Person():
            return "person"
        case Schedule():
            return "schedule"
        case Channel():
            return "broker"
        case _:
            return member.referred_as if member.referred_as in _FAMILIES else "service"
