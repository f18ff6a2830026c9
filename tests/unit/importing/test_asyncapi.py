"""Who sends and who receives, on which channels of which brokers, in both versions of AsyncAPI."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from commands import archcheck
from imported import service

from archcheck import Consumer, Endpoint, Kafka, Mqtt, Publish, Queue, RabbitMQ, Topic
from archcheck.importing import Import, import_paths
from archcheck.model import ModelError, WebSocket
from archcheck.units import s

SAMPLE = Path(__file__).parent / "catalogue_samples" / "events.yaml"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def edges(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


def test_an_application_is_a_service_that_sends_and_receives() -> None:
    found = import_paths([SAMPLE])
    orders = service(found, "Order Service")
    assert orders.description == "Takes orders."
    assert orders.tags == ("sales",)
    assert edges(found) == {
        ("Order Service", "kafka-example-org"),
        ("Order Service", "orders topic"),
    }
    assert orders.consumers == (
        Consumer(
            "shop-(region)-shipped",
            name="hear",
            group="order-readers",
            steps=[Publish("answers topic")],
        ),
    )


def test_channels_and_brokers_say_what_their_bindings_say() -> None:
    found = import_paths([SAMPLE])
    assert found.system.find("kafka-example-org") == Kafka("kafka-example-org", encrypted=True)
    assert found.system.find("orders topic") == Topic(
        "orders topic",
        broker="kafka-example-org",
        description="New orders. [address orders]",
        partitions=12,
        copies=3,
        retention=60 * s,
        format="json",
    )
    shipped = found.system.find("shop-(region)-shipped")
    assert isinstance(shipped, Topic)
    assert shipped.format == "avro"
    assert "[address shop.{region}.shipped]" in (shipped.description or "")


def test_what_a_model_has_no_word_for_is_listed() -> None:
    listed = remarks(import_paths([SAMPLE]))
    for words in (
        "the server staging of Order Service is another environment",
        "the server production of Order Service: a model has no word for security",
        "update sends to updates, from which nobody in the files receives",
    ):
        assert [each for each in listed if words in each], words


def test_what_others_publish_an_application_of_version_2_receives(tmp_path: Path) -> None:
    write(
        tmp_path,
        lamp="""
        asyncapi: 2.6.0
        info: {title: Lamp, version: '1'}
        servers:
          home: {url: 'mqtt://{where}:{port}/', protocol: mqtt,
                 variables: {where: {default: hub.example.org}, port: {default: '1883'}}}
        channels:
          lamps/{id}/turn:
            publish: {operationId: turned, message: {contentType: application/json}}
          lamps/{id}/state:
            subscribe: {message: {oneOf: [{payload: {}}]}}
        """,
        panel="""
        asyncapi: '2.0.0'
        info: {title: Panel, version: '1'}
        servers: {home: {url: 'hub.example.org:1883', protocol: mqtt}}
        channels:
          lamps/{lamp}/turn:
            subscribe: {operationId: turn}
        """,
    )
    found = import_paths([tmp_path])
    assert edges(found) == {
        ("Lamp", "hub-example-org"),
        ("Panel", "hub-example-org"),
        ("Lamp", "lamps/(id)/state"),
        ("Panel", "lamps/(id)/turn"),
    }
    assert service(found, "Lamp").consumers == (Consumer("lamps/(id)/turn", name="turned"),)
    assert isinstance(found.system.find("hub-example-org"), Mqtt)


def test_without_a_broker_the_receiver_has_an_endpoint_and_the_sender_calls(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        common="live: {host: example.org, pathname: /live, protocol: ws}",
        page="""
        asyncapi: 3.0.0
        info: {title: Page, version: '1'}
        servers: {live: {$ref: './common.yaml#/live'}}
        channels: {likes: {address: likes}}
        operations: {like: {action: send, channel: {$ref: '#/channels/likes'}}}
        """,
        back="""
        asyncapi: 3.0.0
        info: {title: Back, version: '1'}
        servers: {live: {$ref: './common.yaml#/live'}}
        channels: {incoming: {address: likes}}
        operations: {liked: {action: receive, channel: {$ref: '#/channels/incoming'}}}
        """,
    )
    found = import_paths([tmp_path])
    assert edges(found) == {("Page", "Back")}
    assert service(found, "Back").endpoints == (
        Endpoint("liked", WebSocket("/live"), description="receives from likes"),
    )
    assert len(found.system.elements) == 2


def test_two_ends_of_a_queue_meet_at_the_broker_that_compose_runs(tmp_path: Path) -> None:
    channel = "{address: work.jobs, bindings: {amqp: {is: queue}}}"
    for name, action in (("Asks", "send"), ("Works", "receive")):
        write(
            tmp_path,
            **{
                name: f"""
                asyncapi: 3.0.0
                info: {{title: {name}, version: '1'}}
                servers: {{dev: {{host: 'rabbit:5672', protocol: amqp}}}}
                channels: {{jobs: {channel}}}
                operations: {{job: {{action: {action}, channel: {{$ref: '#/channels/jobs'}}}}}}
                """
            },
        )
    write(tmp_path, compose="services: {rabbit: {image: 'rabbitmq:3.13'}, web: {image: own/web}}")
    found = import_paths([tmp_path])
    assert found.system.find("work-jobs") == Queue(
        "work-jobs", broker="rabbit", description="[address work.jobs]"
    )
    rabbit = found.system.find("rabbit")
    assert isinstance(rabbit, RabbitMQ)
    assert rabbit.version == "3.13"
    assert {pair for pair in edges(found) if pair[1] != "rabbit"} == {("Asks", "work-jobs")}
    assert service(found, "Works").consumers == (Consumer("work-jobs", name="job"),)


HEAD = "asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\n"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("asyncapi: 4.0.0\ninfo: {title: T}\n", 1, "must be a version such as 2.6.0 or 3.0.0"),
        ("asyncapi: 3.0.0\ninfo: {}\n", 2, "title is missing"),
        (HEAD + "servers:\n  a: {host: h}\n", 4, "protocol is missing"),
        (HEAD + "channels:\n  a: {$ref: '#/no'}\n", 4, "there is no 'no'"),
        (HEAD + "channels:\n  a: {$ref: '#/channels/a'}\n", 4, "leads in a circle"),
        (HEAD + "channels:\n  a: {$ref: '../../out.yaml'}\n", 4, "lies outside of"),
        (HEAD + "channels:\n  a: {$ref: './none.yaml'}\n", 4, "there is no file"),
        (HEAD + "channels:\n  a: {servers: [{$ref: '#/info'}]}\n", 4, "one of the document's"),
        (HEAD + "channels: {a: {}}\noperations:\n  o: {action: say}\n", 5, "send or receive"),
        (HEAD + "channels: {a: {}}\noperations:\n  o: {action: send}\n", 5, "channel is missing"),
        (
            HEAD + "channels:\n  a: {address: a, bindings: {kafka: {partitions: 0}}}\n",
            4,
            "partitions must be 1 or more",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    write(tmp_path, api=text)
    with pytest.raises(ModelError) as error:
        import_paths([tmp_path / "api.yaml"])
    assert sentence in error.value.sentence
    assert error.value.place is not None
    assert error.value.place.line == line


def test_a_wrong_file_behind_a_reference_is_told_at_the_reference(tmp_path: Path) -> None:
    write(tmp_path, api=HEAD + "channels:\n  a: {$ref: './bad.yaml#/a'}\n", bad="a: [1\nb: 2\n")
    with pytest.raises(ModelError, match=r"\./bad.yaml, line 2: is not YAML") as error:
        import_paths([tmp_path / "api.yaml"])
    assert error.value.place is not None
    assert error.value.place.line == 4


def test_the_network_is_not_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        api=HEAD + "channels:\n  a: {$ref: 'https://x.example/c.yaml'}\n  b: {address: a/b}\n",
    )
    found = import_paths([tmp_path / "api.yaml"])
    assert "https://x.example/c.yaml is on the network and not read" in remarks(found)


def test_commands_take_a_document(tmp_path: Path) -> None:
    shown = archcheck("import", SAMPLE, "-v", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "1 file of AsyncAPI" in shown.stdout
    drawn = archcheck("diagram", SAMPLE, "-o", "shop.svg", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    assert archcheck("verify", SAMPLE, cwd=tmp_path).returncode in (0, 1)
