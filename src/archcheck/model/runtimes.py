"""Frameworks and their real concurrency: how many requests one replica works on at a time.

Three models cover them. *blocking*: a thread belongs to a request from start to end, also while
it waits for others, so ``threads`` bounds the requests in progress. *event_loop*: few threads
that must never wait; a request occupies one only while it computes. *lightweight*: goroutines
and virtual threads; waiting costs nothing, computing needs one of ``parallelism`` cores.

Defaults come from each project's own documentation, named beside the value. A value that
depends on the machine (cores) has no default here: it is unknown until declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from archcheck.model.element import Absent, Element, Many, element
from archcheck.model.resilience import Workers
from archcheck.model.values import Default, Documented, effective
from archcheck.units import Duration, MiB, Size

Concurrency = Literal["blocking", "event_loop", "lightweight"]


class FromLimit(NamedTuple):
    """How a runtime counts the processors of a container with a CPU limit."""

    source: str
    """Where that is documented."""
    each: int = 1
    """Event loops, or cores that it uses, for each processor."""
    least: int = 1
    """As many at least."""
    rounds_up: bool = True
    """Whether part of a core counts as one."""
    since: tuple[int, int] | None = None
    """The first version that does so; ``None``: whatever version is in use."""
    checked: str = ""
    """The day on which it was last held against that documentation; empty: never since."""


class Runtime(Element, Documented):
    """What executes a service's code."""

    label: ClassVar[str] = ""
    """Its name in reports and on diagrams."""
    language: ClassVar[str] = ""
    """The language it is usually written in."""
    only_waits_asynchronously: ClassVar[bool] = False
    """Whether none of its clients can block the thread that asks."""
    from_limit: ClassVar[FromLimit | None] = None
    """What it makes of a CPU limit, where ``parallelism`` is not declared."""

    version: str | None
    concurrency: Concurrency | None
    threads: int | None
    parallelism: int | None
    scheduling: str | None
    deadline_propagation: bool | None
    drops_late_requests: bool | None
    stops_late_work: bool | None
    accept_queue: int | Absent | None

    def worker_attribute(self) -> str:
        """The attribute that bounds work in a replica: ``threads`` or ``parallelism``."""
        model = effective(self, "concurrency").value
        return "threads" if model == "blocking" else "parallelism"


@element
class _Runtime(Runtime):
    """Fields that every runtime has."""

    _is_abstract = True

    version: str | None = field(default=None, kw_only=False)
    """Version in use, such as ``3.4``."""
    concurrency: Concurrency | None = None
    """How it runs requests; ``None``: as the framework does by default."""
    threads: Workers | None = None
    """Blocking: threads that serve requests, per replica."""
    parallelism: Workers | None = None
    """Event loops, or cores that goroutines and (virtual) threads run on, per replica."""
    scheduling: Literal["fifo", "processor_sharing"] | None = None
    """How work shares the cores; ``None``: an event loop works off one request after the other,
    the operating system and Go give everybody an equal share."""
    accept_queue: Annotated[int, Field(ge=0)] | Absent | None = None
    """Requests that may wait for a worker, per replica; more are rejected. ``Absent``:
    unbounded on purpose."""
    connection_pool: Workers | None = None
    """Connections to each datastore, per replica, where no ``Pool`` says otherwise."""
    libraries: Many[str] = ()
    """Libraries that matter to the architecture: ``resilience4j``, ``grpc-java`` ..."""
    deadline_propagation: bool | None = None
    """Whether a caller's deadline reaches the calls made on its behalf."""
    drops_late_requests: bool | None = None
    """Whether a request is dropped instead of begun when its caller's deadline passed while it
    waited; ``None``: where late work stops."""
    stops_late_work: bool | None = None
    """Whether work stops, at its next step, when the deadline of its caller has passed; ``None``:
    where a caller's deadline reaches the calls made on its behalf."""
    graceful_stop: Duration | Absent | None = None
    """How long it finishes requests after the signal to stop."""
    max_request: Size | None = None
    """The largest request body it takes."""


@element
class CustomRuntime(_Runtime):
    """Any other framework: the author declares what matters."""

    label: ClassVar[str] = "custom"

    name: str | None = None
    """What to call it."""


_SPRING_STOP = Default(
    Duration(30.0),
    "Spring Boot 3.4: server.shutdown, spring.lifecycle.timeout-per-shutdown-phase",
    "2026-11-30",
    since=(3, 4),
)
"""Before 3.4 nobody waited for requests, unless told to."""


@element
class SpringBoot(_Runtime):
    """Spring Boot on servlets (Tomcat): a thread per request, 200 by default.

    Spring Boot reference, Common Application Properties: ``server.tomcat.threads.max`` 200,
    ``server.tomcat.max-connections`` 8192, ``server.tomcat.accept-count`` 100; HikariCP:
    ``maximumPoolSize`` 10. Tomcat accepts connections up to the second and lets those wait for
    which there is no thread; the third counts only after that (Tomcat, The HTTP Connector). With
    ``spring.threads.virtual.enabled`` declare ``concurrency="lightweight"``.
    """

    label: ClassVar[str] = "Spring Boot"
    language: ClassVar[str] = "java"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "blocking", "Spring Boot: a servlet thread per request", "2026-11-30"
        ),
        "threads": Default(200, "Spring Boot: server.tomcat.threads.max", "2026-11-30"),
        "accept_queue": Default(
            8_192 + 100,
            "Spring Boot: server.tomcat.max-connections and accept-count, less the threads",
            checked="2026-11-30",
            less="threads",
        ),
        "connection_pool": Default(10, "HikariCP: maximumPoolSize", "2026-11-30"),
        "graceful_stop": _SPRING_STOP,
    }


@element
class SpringWebFlux(_Runtime):
    """Spring WebFlux on Reactor Netty: an event loop per core (at least 4).

    Reactor Netty reference: ``reactor.netty.ioWorkerCount`` is the number of processors, at
    least 4. R2DBC pool: ``maxSize`` 10.
    """

    label: ClassVar[str] = "Spring WebFlux"
    language: ClassVar[str] = "java"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        "Reactor Netty: an event loop for each processor that the JVM sees (the CPU limit, rounded "
        "up), 4 at least",
        least=4,
        checked="2026-11-30",
    )
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("event_loop", "Spring WebFlux on Reactor Netty", "2026-11-30"),
        "connection_pool": Default(10, "r2dbc-pool: maxSize", "2026-11-30"),
        "graceful_stop": _SPRING_STOP,
    }


@element
class Micronaut(_Runtime):
    """Micronaut on Netty: event loops; blocking code must ask for another executor.

    Micronaut reference, HTTP server threading: requests run on Netty's event loop threads
    unless ``@ExecuteOn``; Netty: ``io.netty.eventLoopThreads`` is twice the processors.
    """

    label: ClassVar[str] = "Micronaut"
    language: ClassVar[str] = "java"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        "Netty: two event loops for each processor that the JVM sees (the CPU limit, rounded up)",
        each=2,
        checked="2026-11-30",
    )
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "event_loop", "Micronaut: requests on Netty's event loops", "2026-11-30"
        ),
        "connection_pool": Default(10, "HikariCP: maximumPoolSize", "2026-11-30"),
        "max_request": Default(
            10 * MiB, "Micronaut: micronaut.server.max-request-size", "2026-11-30"
        ),
    }


@element
class Quarkus(_Runtime):
    """Quarkus on Vert.x: worker threads, and event loops for endpoints that return reactive types.

    Quarkus guide "Quarkus REST", execution model: a method that returns ``Uni``, ``Multi``, a
    ``CompletionStage`` or a ``Publisher`` runs on the event loop, any other on a worker thread. A
    service whose endpoints are reactive says ``concurrency="event_loop"``.
    """

    label: ClassVar[str] = "Quarkus"
    language: ClassVar[str] = "java"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        "Vert.x: two event loops for each processor that the JVM sees (the CPU limit, rounded up)",
        each=2,
        checked="2026-11-30",
    )
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "blocking", "Quarkus REST: a worker thread but for reactive return types", "2026-11-30"
        ),
        "threads": Default(
            200,
            "Quarkus: quarkus.thread-pool.max-threads, more from 26 processors on",
            "2026-11-30",
        ),
        "connection_pool": Default(20, "Quarkus: quarkus.datasource.jdbc.max-size", "2026-11-30"),
        "max_request": Default(
            10 * MiB, "Quarkus: quarkus.http.limits.max-body-size", "2026-11-30"
        ),
    }


@element
class JavaGrpc(_Runtime):
    """grpc-java without a framework: a cached thread pool that grows without a bound.

    grpc-java ``ServerBuilder.executor``: the default is a static cached thread pool.
    """

    label: ClassVar[str] = "Java"
    language: ClassVar[str] = "java"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("blocking", "grpc-java: a pool thread per call", "2026-11-30"),
        "deadline_propagation": Default(
            True, "grpc.io: deadlines propagate in Java and Go", "2026-11-30"
        ),
    }


@element
class GoKit(_Runtime):
    """Go kit: a goroutine per request on the standard server; cores bound the computing.

    Go ``net/http``: a goroutine per request, no limit and no timeout unless set;
    ``database/sql``: open connections are unlimited unless ``SetMaxOpenConns``.
    """

    label: ClassVar[str] = "Go kit"
    language: ClassVar[str] = "go"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("lightweight", "Go: a goroutine per request", "2026-11-30"),
        "deadline_propagation": Default(
            True, "grpc.io: deadlines propagate in Java and Go", "2026-11-30"
        ),
    }


@element
class Go(_Runtime):
    """Go's standard library, grpc-go, gin, chi: goroutines as in :class:`GoKit`."""

    label: ClassVar[str] = "Go"
    language: ClassVar[str] = "go"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        "Go 1.25: GOMAXPROCS is the CPU limit, rounded up, 2 at least",
        least=2,
        since=(1, 25),
        checked="2026-11-30",
    )
    documented: ClassVar[Mapping[str, Default]] = GoKit.documented


@element
class NodeJs(_Runtime):
    """Node.js (Express, NestJS, Fastify): one event loop in a process.

    nodejs.org, "Don't Block the Event Loop": one thread runs the callbacks; a pool of four
    (``UV_THREADPOOL_SIZE``) serves file system and DNS.
    """

    label: ClassVar[str] = "Node.js"
    language: ClassVar[str] = "javascript"
    only_waits_asynchronously: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("event_loop", "Node.js: one event loop", "2026-11-30"),
        "parallelism": Default(1, "Node.js: one thread runs the event loop", "2026-11-30"),
    }


@element
class FastApi(_Runtime):
    """FastAPI on uvicorn: one asyncio event loop in a worker process.

    uvicorn settings: ``--workers`` is 1 unless set.
    """

    label: ClassVar[str] = "FastAPI"
    language: ClassVar[str] = "python"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("event_loop", "FastAPI: asyncio event loop", "2026-11-30"),
        "parallelism": Default(1, "uvicorn: --workers", "2026-11-30"),
    }


@element
class Django(_Runtime):
    """Django or Flask behind gunicorn's sync workers: one by default.

    gunicorn settings: ``workers`` 1, ``threads`` 1, ``backlog`` 2048.
    """

    label: ClassVar[str] = "Django"
    language: ClassVar[str] = "python"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("blocking", "gunicorn: a sync worker per request", "2026-11-30"),
        "threads": Default(1, "gunicorn: workers", "2026-11-30"),
        "accept_queue": Default(2048, "gunicorn: backlog", "2026-11-30"),
        "graceful_stop": Default(Duration(30.0), "gunicorn: graceful_timeout", "2026-11-30"),
    }


@element
class PythonGrpc(_Runtime):
    """grpcio's server on a ``ThreadPoolExecutor``: the author gives the number of workers."""

    label: ClassVar[str] = "Python"
    language: ClassVar[str] = "python"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("blocking", "grpcio: a pool thread per call", "2026-11-30"),
        "drops_late_requests": Default(
            True, "grpcio: a call that is over when a thread takes it is not handled", "2026-11-30"
        ),
        "stops_late_work": Default(
            False, "grpc.io, Cancellation: a handler that runs is not interrupted", "2026-11-30"
        ),
    }


@element
class AspNetCore(_Runtime):
    """ASP.NET Core on Kestrel: async on the thread pool, which starts at the number of cores."""

    label: ClassVar[str] = "ASP.NET Core"
    language: ClassVar[str] = "csharp"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        ".NET: Environment.ProcessorCount is the CPU limit, rounded up"
    )
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "lightweight",
            "ASP.NET Core best practices: async tasks on the thread pool",
            "2026-11-30",
        ),
        "connection_pool": Default(100, "ADO.NET: Max Pool Size", "2026-11-30"),
        "max_request": Default(Size(30_000_000), "Kestrel: MaxRequestBodySize", "2026-11-30"),
    }


@element
class Rails(_Runtime):
    """Ruby on Rails on Puma: 3 threads in a worker since Rails 7.2 (``RAILS_MAX_THREADS``)."""

    label: ClassVar[str] = "Rails"
    language: ClassVar[str] = "ruby"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("blocking", "Puma: a thread per request", "2026-11-30"),
        "threads": Default(
            3,
            "Rails 7.2: RAILS_MAX_THREADS in config/puma.rb",
            "2026-11-30",
            since=(7, 2),
            others=(
                Default(
                    5,
                    "Rails before 7.2: RAILS_MAX_THREADS in config/puma.rb",
                    "2026-11-30",
                    before=(7, 2),
                ),
            ),
        ),
    }


@element
class PhpFpm(_Runtime):
    """PHP-FPM: a process per request; the shipped ``www.conf`` has ``pm.max_children`` 5.

    Since PHP 8.2 the kernel decides how many requests may wait (``listen.backlog`` -1 on Linux).
    """

    label: ClassVar[str] = "PHP-FPM"
    language: ClassVar[str] = "php"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("blocking", "PHP-FPM: a process per request", "2026-11-30"),
        "threads": Default(5, "PHP-FPM www.conf: pm.max_children", "2026-11-30"),
        "accept_queue": Default(
            511, "PHP-FPM before 8.2: listen.backlog", "2026-11-30", before=(8, 2)
        ),
    }


@element
class Rust(_Runtime):
    """Tokio (Axum, Actix, Tonic): async tasks on a worker thread per core."""

    label: ClassVar[str] = "Rust"
    language: ClassVar[str] = "rust"
    from_limit: ClassVar[FromLimit | None] = FromLimit(
        "Rust: available_parallelism is the CPU limit, rounded down, 1 at least", rounds_up=False
    )
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "event_loop", "Tokio: worker_threads is the number of cores", "2026-11-30"
        ),
    }


@element
class CppThrift(_Runtime):
    """Apache Thrift's ``TThreadedServer`` in C++: a thread per connection, without a bound."""

    label: ClassVar[str] = "C++ Thrift"
    language: ClassVar[str] = "cpp"
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "blocking", "TThreadedServer: a thread per connection", "2026-11-30"
        ),
    }


@element
class Nginx(_Runtime):
    """nginx or OpenResty: event loops; one worker process unless ``worker_processes`` is set."""

    label: ClassVar[str] = "nginx"
    language: ClassVar[str] = "c"
    only_waits_asynchronously: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default(
            "event_loop", "nginx, Beginner's Guide: event-based workers", "2026-11-30"
        ),
        "parallelism": Default(1, "nginx: worker_processes", "2026-11-30"),
        "accept_queue": Default(511, "nginx: listen backlog on Linux", "2026-11-30"),
        "max_request": Default(1 * MiB, "nginx: client_max_body_size", "2026-11-30"),
    }


@element
class Envoy(_Runtime):
    """Envoy: an event loop per hardware thread."""

    label: ClassVar[str] = "Envoy"
    language: ClassVar[str] = "cpp"
    only_waits_asynchronously: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "concurrency": Default("event_loop", "Envoy: --concurrency worker threads", "2026-11-30"),
    }
