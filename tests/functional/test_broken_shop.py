"""The shop, broken in one place: verify exits with 1 and names that place, for every rule."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from commands import archcheck, as_process
from depth import sample

from archcheck.plugins import rules

SHOP = Path(__file__).parents[2] / "models" / "shop"


@dataclass(frozen=True)
class Break:
    """Replace ``old`` by ``new`` in a file; the finding is at the line of ``at`` (or ``new``)."""

    file: str
    old: str
    new: str
    at: str = ""


CONFIRM = 'Call("orders.confirm", timeout=50 * ms, encrypted=True),'
LEDGER = "Write(ledger, timeout=80 * ms, request_size=2 * KiB),"
LEVEL = 'steps=[Work(0.3 * ms), Read("stock-db", timeout=40 * ms, request_size=1 * KiB)],'
RESERVE = 'steps=[Work(0.5 * ms), Write("stock-db", timeout=60 * ms, request_size=1 * KiB)],'
CACHED = '                        Cached(\n                            "page-cache",'
BANK = "Call(\n                    bank"
CHARGE = 'Call(\n                    "payments.Charge"'
PLACE = 'Call(\n                    "orders.place"'
RESERVED = '        Endpoint(\n            "Reserve"'
STOCK = 'kubernetes("stock", "1.9.3", rollout=CAREFUL)'


def changed(argument: str) -> str:
    """The deployment of the stock service with another argument."""
    return f"dataclasses.replace({STOCK}, {argument})"


def added(
    line: str,
    *others: str,
    before: str = "",
    after: str = "",
    at: str | None = None,
    module: str = "zz.py",
) -> Break:
    """A module of its own; ``line`` is where the finding is."""
    text = "\n".join(part for part in (before, *others, line, after) if part)
    head = "from archcheck import *\n\nfrom .platform import ZONES\n\n"
    return Break(module, "", f"{head}{text}\n", at=at or line)


def loaded(entry: str) -> tuple[str, str]:
    """A journey of its own, and its load."""
    return (
        f'journey = Journey("added", "{entry}")',
        'peak = Scenario("added", load=[Load(journey, Poisson("100/s"))])',
    )


STORM = """
cell = Service(
    "cell",
    runtime=CustomRuntime(concurrency="blocking", threads=30, accept_queue=20000),
    deployment=Docker(replicas=1),
    endpoints=[Endpoint("query", steps=[Work(Constant("100ms"))], idempotent=True)],
)
again = Retry(attempts=2, backoff="10ms")
front = Service(
    "front",
    runtime=CustomRuntime(concurrency="lightweight", parallelism=64, accept_queue=20000),
    deployment=Docker(replicas=1),
    endpoints=[Endpoint("page", steps=[Call("cell.query", timeout="1s", retry=again)])],
)
storm = Journey("storm", "front.page")
autumn = Scenario("autumn", load=[Load("storm", Poisson("280/s"))])
"""

BREAKAGES = {
    "BND001": Break("payment.py", LEDGER, f"{LEDGER} {CONFIRM}"),
    "BND002": Break("payment.py", LEDGER, f"{LEDGER} {CONFIRM}"),
    "BND003": Break(
        "catalogue.py",
        "Work(0.6 * ms),",
        'Work(0.6 * ms), Read("orders-db", timeout=20 * ms, request_size=1 * KiB),',
    ),
    "BND004": Break(
        "payment.py",
        LEDGER,
        f'{LEDGER} Write("orders-db", timeout=80 * ms, request_size=1 * KiB),',
    ),
    "BND005": Break(
        "catalogue.py",
        "Work(0.6 * ms),",
        'Work(0.6 * ms), Call("payments.Charge", timeout=20 * ms),',
    ),
    "BND006": Break(
        "ordering.py",
        "            idempotent=True,\n            atomicity=Saga(",
        "            idempotent=True,\n            public=True,\n            atomicity=Saga(",
        at='        Endpoint(\n            "place"',
    ),
    "BND007": Break(
        "ordering.py",
        'owner="team-platform",\n    version="3.9"',
        'version="3.9"',
        at="kafka = Kafka(",
    ),
    "COM001": Break(
        "edge.py",
        '"orders.place",',
        '"orders.place", protocol="Grpc",',
        at='Call(\n                    "orders.place"',
    ),
    "COM006": Break(
        "ordering.py",
        'Call(\n                    "payments.Charge",',
        'Call(\n                    "payments.Charge", request_size=9000 * KiB,',
        at='Call(\n                    "payments.Charge"',
    ),
    "COM009": Break(
        "edge.py",
        '            authentication="oauth2",\n',
        "",
        at='        Endpoint(\n            "checkout"',
    ),
    "COM008": Break(
        "payment.py",
        'format="json", encrypted=True',
        'format="json", encrypted=False',
        at="Call(\n                    bank",
    ),
    "RES001": Break("catalogue.py", LEVEL, LEVEL.replace("timeout=40 * ms, ", "")),
    "BND016": Break(
        "__init__.py",
        'OnlyWithin("ledger", "payment"),',
        'OnlyWithin("ledger", "payment"), Deny("payments", "bank"),',
        at='OnlyVia("bank"',
    ),
    "BND017": Break(
        "__init__.py",
        'OnlyWithin("ledger", "payment"),',
        'OnlyWithin("ledger", "payment"), Deny("payment", "edge"),',
        at='OnlyWithin("ledger"',
    ),
    "DAT019": Break(
        "ordering.py", "guarded=True", "guarded=False", at='        Endpoint(\n            "place"'
    ),
    "DEP013": Break(
        "catalogue.py",
        STOCK,
        changed("rollout=RollingUpdate(max_surge=0, max_unavailable=8)"),
        at="stock = Service(",
    ),
    "PRF001": Break("catalogue.py", "Work(0.6 * ms),", "Work(60 * ms),", at="catalogue = Service("),
    "PRF005": Break(
        "edge.py",
        "RateLimit(5000 / s, burst=10_000)",
        "RateLimit(90_000 / s, burst=10_000)",
        at='        Endpoint(\n            "browse"',
    ),
    "RES003": Break(
        "journeys.py", "timeout=3 * s,", "timeout=850 * ms,", at='Journey(\n    "checkout"'
    ),
    "RES007": Break(
        "ordering.py",
        "attempts=2,\n                        backoff=20 * ms,\n"
        "                        jitter=True,\n"
        '                        on=["timeout"],\n                        idempotency_key=True,\n'
        "                        budget=RetryBudget(10 * percent),",
        'attempts=20, backoff=1 * ms, jitter=True, on=["timeout"], idempotency_key=True,',
        at='Write(\n                    "orders-db"',
    ),
    "RES013": Break("catalogue.py", STOCK, changed('zones=["zone-a"]'), at="stock = Service("),
    "RES014": Break(
        "catalogue.py", STOCK, changed("autoscale=None, replicas=1"), at="stock = Service("
    ),
    "RES027": added(
        'call = Call("aa.get", fallback=Fallback("call", target="bb.get"))',
        before='up = Kubernetes(replicas=1, zones=["zone-a"])\n'
        'aa = Service("aa", deployment=up, endpoints=[Endpoint("get")])\n'
        'bb = Service("bb", deployment=up, endpoints=[Endpoint("get")])',
        after='cc = Service("cc", endpoints=[Endpoint("go", steps=[call])])',
    ),
    "DAT016": added(
        'zz = Cassandra("zz", consistency="strong", zones=ZONES, '
        "quorum=Quorum(copies=3, read=1, write=1))"
    ),
    "RES002": Break(
        "ordering.py",
        "timeout=150 * ms,",
        "timeout=30 * ms, propagates_deadline=False,",
        at='Call(\n                            "stock.Reserve"',
    ),
    "RES004": Break(
        "catalogue.py",
        "idempotent=True,",
        "idempotent=False,",
        at='        Endpoint(\n            "Get"',
    ),
    "RES005": Break(
        "edge.py",
        "backoff=20 * ms",
        "backoff=0 * ms",
        at='Call(\n                    "catalogue.Get"',
    ),
    "RES006": Break(
        "edge.py",
        "jitter=True",
        "jitter=False",
        at='Call(\n                    "catalogue.Get"',
    ),
    "RES009": Break(
        "edge.py",
        "breaker=breaker(slow_call=700 * ms)",
        'breaker=Absent("none yet")',
        at='Call(\n                    "orders.place"',
    ),
    "RES012": Break("payment.py", "replicas=(3, 9)", "replicas=(1, 9)", at="payments = Service("),
    "RES021": Break(
        "ordering.py",
        '            name="on_paid",\n            idempotent=True',
        '            name="on_paid",\n            idempotent=False',
        at="        Consumer(",
    ),
    "RES011": Break(
        "catalogue.py",
        'fallback=Fallback("omit")',
        'fallback=Absent("not yet")',
        at='Call(\n                                    "stock.Level"',
    ),
    "RES019": Break(
        "edge.py",
        "rate_limit=RateLimit(1000 / s, burst=2000)",
        'rate_limit=Absent("not yet")',
        at='        Endpoint(\n            "checkout"',
    ),
    "RES020": Break(
        "notification.py",
        "max_deliveries=3",
        'dead_letter=Absent("not yet")',
        at="        Consumer(",
    ),
    "RES023": Break(
        "catalogue.py",
        '    entities=["stock"],\n    endpoints',
        '    entities=["stock"], start_after=["stock"],\n    endpoints',
        at="stock = Service(",
    ),
    "DAT001": Break("ordering.py", "\n    copies=3,", "\n    copies=1,", at="orders_db = MySQL("),
    "DAT003": Break(
        "payment.py",
        "    shard_key=ShardKey(\n",
        "    tags=[] and ShardKey(\n",
        at="ledger = MySQL(",
    ),
    "DAT005": Break(
        "ordering.py", "max_connections=650", "max_connections=300", at="orders_db = MySQL("
    ),
    "DAT006": Break(
        "catalogue.py",
        RESERVE,
        RESERVE[:-2] + ', Write("product-pages", timeout=9 * ms, request_size=1 * KiB)],',
        at='        Endpoint(\n            "Reserve"',
    ),
    "DAT010": Break(
        "catalogue.py",
        "    jitter=True,\n    coalesced=True,",
        "    jitter=False,\n    coalesced=False,",
        at=CACHED,
    ),
    "DAT009": Break(
        "catalogue.py",
        'ttl=5 * minutes,\n    jitter=True,\n    coalesced=True,\n    invalidation="event"',
        'ttl=Absent("not yet"),\n    jitter=True,\n    coalesced=True,\n    invalidation="none"',
        at="page_cache = Redis(",
    ),
    "DAT013": Break(
        "catalogue.py", "    backup=HOURLY,", '    backup=Absent("later"),', at="pages = MongoDB("
    ),
    "DAT014": Break(
        "payment.py", "encrypted_at_rest=True", "encrypted_at_rest=False", at="ledger = MySQL("
    ),
    "DEP001": Break(
        "catalogue.py",
        STOCK,
        'kubernetes("stock", "latest")',
        at="stock = Service(",
    ),
    "DEP004": Break(
        "catalogue.py",
        STOCK,
        changed('readiness=Absent("later")'),
        at="stock = Service(",
    ),
    "DEP010": Break(
        "catalogue.py",
        STOCK,
        changed('secrets=[Secret("key", store="image")]'),
        at="stock = Service(",
    ),
    "OBS001": Break(
        "catalogue.py",
        "    metrics=METRICS,",
        '    metrics=Absent("later"),',
        at="catalogue = Service(",
    ),
    "OBS002": Break(
        "catalogue.py",
        "    logs=LOGS,",
        '    logs=Absent("later"),',
        at="catalogue = Service(",
    ),
    "OBS003": Break(
        "ordering.py",
        "    tracing=TRACING,",
        '    tracing=Absent("later"),',
        at="orders = Service(",
    ),
    "OBS005": Break(
        "journeys.py",
        'objective(900 * ms, "checkout_journey")',
        'dataclasses.replace(objective(900 * ms, "checkout_journey"), alert=Absent("later"))',
        at="checkout = Journey(",
    ),
    "TEC002": Break("ordering.py", "threads=200", "threads=2", at="orders = Service("),
    "TEC003": Break(
        "edge.py",
        "blocking=False",
        "blocking=True",
        at='        Endpoint(\n            "checkout"',
    ),
    "DLV001": Break(
        "notification.py",
        "pipeline=pipeline()",
        'pipeline=Absent("later")',
        at="notifications = Service(",
    ),
    "DLV002": Break(
        "payment.py", 'pipeline=pipeline("orders")', "pipeline=pipeline()", at="payments = Service("
    ),
    "PRF002": Break(
        "journeys.py",
        'objective(400 * ms, "browse_journey")',
        'objective(1 * ms, "browse_journey")',
        at="browse = Journey(",
    ),
    "PRF003": Break(
        "journeys.py",
        'objective(400 * ms, "browse_journey")',
        'objective(6 * ms, "browse_journey")',
        at="browse = Journey(",
    ),
    "PRF010": Break("ordering.py", "threads=200", "threads=8", at="orders = Service("),
    "EVO008": Break(
        "payment.py",
        "            idempotent=True,\n",
        "            idempotent=True,\n"
        '            deprecation=Deprecation(since="2019-01-01", sunset="2020-01-01"),\n',
        at='        Endpoint(\n            "Charge"',
    ),
    "EVO014": Break(
        "ordering.py",
        "traffic_per_month=4 * percent",
        "traffic_per_month=60 * percent",
        at="orders_db = MySQL(",
    ),
    "MOD002": Break(
        "payment.py",
        "bank = External(",
        'spare = MySQL("spare", belongs_to="payments")\n\nbank = External(',
        at="spare = MySQL",
    ),
    "BND008": added(
        'hub = Service("hub", endpoints=[Endpoint(f"do{n}") for n in range(13)])',
        'small = [Service(f"s{n}") for n in range(8)]',
    ),
    "BND009": added(
        'inner = Service("inner", owner="team-web", endpoints=[Endpoint("get")])',
        'steps = [Call("inner.get")]',
        'outer = Service("outer", owner="team-web", endpoints=[Endpoint("go", steps=steps)])',
    ),
    "BND010": added(
        'chatty = Gateway("chatty", endpoints=[Endpoint("go", steps=[Repeat(11, [LEVEL])])])',
        'talk = Journey("talk", "chatty.go")',
        before='LEVEL = Call("stock.Level", batch=True)',
        at='LEVEL = Call("stock.Level", batch=True)',
    ),
    "BND011": added(
        'chain = [Service(f"c{n}", endpoints=[Endpoint("run", steps=[Call(f"c{n + 1}.run")])])'
        " for n in range(6)]",
        'end = Service("c6", endpoints=[Endpoint("run")])',
    ),
    "BND012": added('lonely = Service("lonely", endpoints=[Endpoint("run")])'),
    "BND013": added(
        'hub = Service("hub", endpoints=[Endpoint("run", steps=[Call("far.run")])])',
        "callers = [Service(f'c{n}', endpoints=[Endpoint('run', steps=[Call('hub.run')])])"
        " for n in range(3)]",
        "leaves = [Service(f'l{n}', endpoints=[Endpoint('run')]) for n in range(3)]",
        "far = Service('far', endpoints=[Endpoint('run', steps=[Call(l) for l in leaves])])",
    ),
    "BND014": Break("payment.py", '    clearance=["payment"],\n', "", at=BANK),
    "BND015": Break("payment.py", "authenticated=True", "authenticated=False", at=BANK),
    "BND018": Break(
        "catalogue.py",
        'entities=["product"]',
        'entities=["product", "stock"]',
        at="stock_db = MySQL(",
    ),
    "COM002": Break("catalogue.py", 'contract="contracts/stock.proto", ', "", at=RESERVED),
    "COM003": Break("catalogue.py", "stock.v1.Stock", "stock.Stock", at=RESERVED),
    "COM004": added(
        'asker = Gateway("asker", endpoints=[Endpoint("go", steps=[Call("hot.get")])])',
        'hot = Service("hot", endpoints=[Endpoint("get", Http1(format="json"),'
        ' request_size="1 KiB", response_size="1 MiB")])',
        *loaded("asker.go"),
    ),
    "COM005": Break("payment.py", "reuses_connections=True", "reuses_connections=False", at=BANK),
    "COM007": added(
        'loop = Gateway("loop", endpoints=[Endpoint("go", steps=[Repeat(4, [LEVEL])])])',
        before='LEVEL = Call("stock.Level")',
        at='LEVEL = Call("stock.Level")',
    ),
    "COM010": added('bare = Topic("bare")'),
    "COM011": Break("edge.py", 'balanced_by="mesh"', 'balanced_by="connection"', at=PLACE),
    "COM012": Break("edge.py", 'discovery="mesh"', 'discovery="static"', at=PLACE),
    "COM013": Break(
        "ordering.py", '"backward_transitive"', '"none"', at='placed = events("placed"'
    ),
    "COM014": added(
        'asker = Gateway("asker", endpoints=[page])',
        before='page = Endpoint("go", Http1("GET"), steps=[Write("orders-db")])',
        at='page = Endpoint("go", Http1("GET"), steps=[Write("orders-db")])',
    ),
    "RES008": Break(
        "edge.py",
        'retry=Absent("an order is never placed twice")',
        "retry=Retry(attempts=2, backoff=20 * ms, jitter=True)",
        at=PLACE,
    ),
    "RES010": Break("edge.py", "slow_call=700 * ms", "slow_call=2000 * ms", at=PLACE),
    "RES015": Break(
        "journeys.py",
        'objective(900 * ms, "checkout_journey")',
        'objective(900 * ms, "checkout_journey", "99.99%")',
        at="checkout = Journey(",
    ),
    "RES016": Break(
        "edge.py", 'balancing="least_outstanding"', 'balancing=Absent("not yet")', at=PLACE
    ),
    "RES017": Break(
        "ordering.py", "accept_queue=100", 'accept_queue=Absent("no")', at="orders = Service("
    ),
    "RES018": Break("ordering.py", "bulkhead=Bulkhead(120)", 'bulkhead=Absent("no")', at=CHARGE),
    "RES022": Break("payment.py", "result_used=True", "result_used=False", at=BANK),
    "RES024": Break("catalogue.py", "parallelism=64", "parallelism=2", at="pages = MongoDB("),
    "RES026": Break(
        "payment.py", 'fallback=Fallback("static")', 'fallback=Absent("not yet")', at=BANK
    ),
    "DAT002": Break("ordering.py", "max_rate=4000 / s", "max_rate=40 / s", at="orders_db = MySQL("),
    "DAT004": added(
        'hot_store = MySQL("hot-store", belongs_to="stock", shards=4, write="10 ms", parallelism=1,'
        ' shard_key=ShardKey(name="k", skew=3.0, cardinality=1000))',
        'writer = Gateway("writer", endpoints=[Endpoint("go", steps=[Write("hot-store")])])',
        *loaded("writer.go"),
    ),
    "DAT007": Break("ordering.py", "Publish(placed, outbox=True", "Publish(placed, outbox=False"),
    "DAT008": added(
        'busy = MySQL("busy-store", belongs_to="stock", read="7 ms", parallelism=1)',
        'reader = Gateway("reader", endpoints=[Endpoint("go", steps=[Read("busy-store")])])',
        *loaded("reader.go"),
    ),
    "DAT011": Break(
        "catalogue.py",
        'eviction="allkeys-lru",',
        'eviction="allkeys-lru", entities=["page"],',
        at="page_cache = Redis(",
    ),
    "DAT012": added(
        'far_journey = Journey("far-journey", "writer.go", slo=Slo(p99="160 ms"))',
        'far = MySQL("far", belongs_to="stock", zones=ZONES, consistency="strong", write="1 ms")',
        'steps = [Repeat(100, [Write("far")])]',
        'writer = Gateway("writer", endpoints=[Endpoint("go", steps=steps)])',
    ),
    "DAT015": Break("ordering.py", "immutable=True", "immutable=False", at="orders_db = MySQL("),
    "DAT017": Break(
        "ordering.py",
        '"stock.Reserve", compensation="stock.Release"',
        '"stock.Reserve"',
        at='        Endpoint(\n            "place"',
    ),
    "DAT018": Break(
        "ordering.py", "per_month=40 * GB", "per_month=4000 * GB", at="orders_db = MySQL("
    ),
    "DAT020": added(
        'both = Gateway("both", endpoints=[go])',
        before='go = Endpoint("go", steps=[Write("orders-db"), Call("stock.Reserve")])',
        at='go = Endpoint("go", steps=[Write("orders-db"), Call("stock.Reserve")])',
    ),
    "DEP002": Break("catalogue.py", STOCK, changed('zones=["zone-a"]'), at="stock = Service("),
    "DEP003": Break(
        "catalogue.py", STOCK, changed('resources=Resources(memory="1 MiB")'), at="stock = Service("
    ),
    "DEP005": Break(
        "catalogue.py",
        STOCK,
        changed('autoscale=Autoscale(min=1, max=1, target_cpu="60%", start_up="40 s")'),
        at="stock = Service(",
    ),
    "DEP006": Break("catalogue.py", "Work(0.6 * ms)", "Work(10 * ms)", at="catalogue = Service("),
    "DEP007": Break("catalogue.py", STOCK, changed("rollout=Recreate()"), at="stock = Service("),
    "DEP008": Break(
        "ordering.py",
        "    deployment=CLOUD,\n",
        '    deployment=Docker(volumes=[Volume("log", durable=False)]),\n',
        at="kafka = Kafka(",
    ),
    "DEP009": Break(
        "catalogue.py", STOCK, changed('disruption_budget=Absent("later")'), at="stock = Service("
    ),
    "DEP011": Break(
        "catalogue.py",
        STOCK,
        changed('liveness=Probe("http", "/live", touches=["stock-db"])'),
        at="stock = Service(",
    ),
    "DEP012": Break("catalogue.py", STOCK, changed('grace="1 s"'), at="stock = Service("),
    "DEP014": Break(
        "catalogue.py",
        STOCK,
        changed("disruption_budget=DisruptionBudget(min_available=3)"),
        at="stock = Service(",
    ),
    "DEP015": Break(
        "catalogue.py",
        STOCK,
        changed("resources=Resources(cpu_limit=0.002 * cores)"),
        at='        Endpoint(\n            "Reserve"',
    ),
    "OBS004": Break(
        "journeys.py",
        'objective(400 * ms, "browse_journey")',
        'dataclasses.replace(objective(400 * ms, "browse_journey"), availability=None)',
        at="browse = Journey(",
    ),
    "OBS006": Break(
        "ordering.py",
        "carries_correlation_id=True",
        "carries_correlation_id=False",
        at='placed = events("placed"',
    ),
    "OBS007": Break(
        "ordering.py",
        'lag_metric="kafka_consumergroup_lag",\n        carries',
        "carries",
        at='placed = events("placed"',
    ),
    "OBS008": Break(
        "notification.py",
        "logs=LOGS",
        'logs=dataclasses.replace(LOGS, shipping="direct")',
        at="notifications = Service(",
    ),
    "OBS009": Break(
        "notification.py",
        "metrics=METRICS",
        'metrics=dataclasses.replace(METRICS, labels=[Label("user", values="unbounded")])',
        at="notifications = Service(",
    ),
    "TEC001": Break(
        "notification.py", 'Micronaut("4.7"', 'Micronaut("2.5"', at="notifications = Service("
    ),
    "TEC004": Break(
        "ordering.py", 'Pool("orders-db", 40', 'Pool("orders-db", 400', at="orders = Service("
    ),
    "TEC005": added(
        'two = Service("extra", owner="team-orders", runtime=NodeJs())',
        module="stacks.py",
    ),
    "TEC006": Break("ordering.py", '"resilience4j"', '"lombok"', at="orders = Service("),
    "TEC007": Break(
        "ordering.py", "deadline_propagation=True", "deadline_propagation=False", at=CHARGE
    ),
    "TEC008": Break("catalogue.py", 'eviction="allkeys-lru",', "", at="page_cache = Redis("),
    "TEC009": Break(
        "edge.py", "mesh=MESH", 'mesh=dataclasses.replace(MESH, timeout="100 ms")', at=PLACE
    ),
    "DLV003": Break(
        "catalogue.py", STOCK, changed("rollout=RollingUpdate()"), at="stock = Service("
    ),
    "DLV004": Break(
        "notification.py",
        "pipeline=pipeline()",
        'pipeline=dataclasses.replace(pipeline(), released_with=["orders"])',
        at="notifications = Service(",
    ),
    "DLV005": Break(
        "journeys.py", "load_test=K6", 'load_test=Absent("later")', at="checkout = Journey("
    ),
    "PRF004": Break("ordering.py", "Bulkhead(120)", "Bulkhead(1)", at=CHARGE),
    "PRF006": added(
        'fan = Gateway("fan", endpoints=[Endpoint("go", slo=Slo(p99="4 ms"),'
        ' steps=[Parallel([Call("stock.Level")] * 10)])])'
    ),
    "PRF007": Break("ordering.py", "independent=False", "independent=True", at=CHARGE),
    "PRF008": Break("notification.py", "Work(5 * ms)", "Work(500 * ms)", at="        Consumer("),
    "PRF009": Break(
        "catalogue.py",
        STOCK,
        'kubernetes("stock", "1.9.3", rollout=CAREFUL, replicas=(30, 40))',
        at="stock = Service(",
    ),
    "PRF011": Break("ordering.py", "freshness=30 * s", "freshness=1 * s", at="        Consumer("),
    "PRF012": Break(
        "journeys.py",
        "    critical=True,\n",
        "    critical=True,\n    max_remote_calls=1,\n",
        at="checkout = Journey(",
    ),
    "MOD003": Break(
        "__init__.py",
        "    network=Network(delay=0.25 * ms, zone_delay=0.5 * ms, bandwidth=125 * MB / s),\n",
        "",
        at="system = System.from_package(",
    ),
    "RES025": added(STORM, at="storm = Journey("),
    "MOD004": added('over = Suppression("DEP003", "stock", reason="later", until="2020-01-01")'),
    "MOD005": added('mute = Suppression("DEP003", "stock")'),
    "MOD007": added('idle = Suppression("DEP003", "stock", reason="later")'),
}


AS_PROCESSES = frozenset(sorted(BREAKAGES)[:: len(BREAKAGES) // 10])
"""Rules whose breakage is also shown to the command as a user starts it."""


def broken(folder: Path, change: Break) -> tuple[Path, int]:
    """A copy of the shop with the change, and the line at which the finding must be."""
    shop = folder / "shop"
    shutil.copytree(SHOP, shop, ignore=shutil.ignore_patterns("__pycache__"))
    file = shop / change.file
    text = file.read_text() if file.exists() else ""
    text = text.replace(
        "from archcheck import",
        "import dataclasses\nfrom archcheck import *\nfrom archcheck.units import *\n"
        "from archcheck import",
        1,
    )
    assert change.old in text
    text = text.replace(change.old, change.new, 1)
    file.write_text(text)
    position = text.index(change.at or change.new)
    position += len(change.at or change.new) - len((change.at or change.new).lstrip())
    return file, text.count("\n", 0, position) + 1


def arguments(shop: Path, *options: str) -> list[str]:
    judged = ["--isolated", "--profile", "strict", "--fail-on", "info", "--format", "json"]
    return ["verify", *options, str(shop), *judged]


def verify(
    shop: Path, *options: str, run: Callable[..., CompletedProcess[str]] = archcheck
) -> tuple[int, list[dict[str, Any]]]:
    dated = arguments(shop, *options, "--date", "2026-11-30")  # support ends with time
    done = run(*dated, cwd=shop.parent)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_there_is_a_breakage_for_every_rule() -> None:
    assert set(BREAKAGES) == {rule.id for rule in rules()}


def test_the_shop_itself_is_clean() -> None:
    code, (report,) = verify(SHOP)
    assert (code, report["findings"], report["undecided"]) == (0, [], [])


@pytest.mark.parametrize("rule", sample(sorted(BREAKAGES)))
def test_the_broken_place_is_named(rule: str, tmp_path: Path) -> None:
    file, line = broken(tmp_path, BREAKAGES[rule])
    options = () if rule in ("PRF003", "RES025") else ("--no-sim",)  # SimPy takes its time
    code, report = verify(file.parent, *options)
    assert code == 1
    if rule in AS_PROCESSES:
        assert verify(file.parent, *options, run=as_process) == (code, report)
    (system,) = report
    named = {
        f"{place['file']}:{place['line']}"
        for finding in system["findings"]
        if finding["rule"] == rule
        for occurrence in finding["places"]
        for place in (occurrence["place"], *(part["place"] for part in occurrence["evidence"]))
        if place
    }
    assert f"shop/{file.name}:{line}" in named
