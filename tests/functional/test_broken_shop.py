"""The shop, broken in one place: verify exits with 1 and names that place, for every rule."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
        "ordering.py", '    owner="team-orders",\n    tier=1', "    tier=1", at="orders = Service("
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
    "RES002": Break(
        "ordering.py",
        "timeout=150 * ms,",
        "timeout=30 * ms,",
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
        "breaker=BREAKER",
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
    "DAT001": Break("ordering.py", "    replicas=2,", "    replicas=0,", at="orders_db = MySQL("),
    "DAT003": Break(
        "catalogue.py",
        '    shards=3,\n    shard_key="product_id",',
        "    shards=3,",
        at="page_cache = Redis(",
    ),
    "DAT005": Break(
        "ordering.py", "max_connections=600", "max_connections=300", at="orders_db = MySQL("
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
        'kubernetes("stock", "1.9.3")',
        'kubernetes("stock", "latest")',
        at="stock = Service(",
    ),
    "DEP004": Break(
        "catalogue.py",
        'kubernetes("stock", "1.9.3")',
        'dataclasses.replace(kubernetes("stock", "1.9.3"), readiness=Absent("later"))',
        at="stock = Service(",
    ),
    "DEP010": Break(
        "catalogue.py",
        'kubernetes("stock", "1.9.3")',
        'dataclasses.replace(kubernetes("stock", "1.9.3"), secrets=[Secret("key", store="image")])',
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
        'spare = MySQL("spare", owner="payments")\n\nbank = External(',
        at="spare = MySQL",
    ),
}


def broken(folder: Path, change: Break) -> tuple[Path, int]:
    """A copy of the shop with the change, and the line at which the finding must be."""
    shop = folder / "shop"
    shutil.copytree(SHOP, shop, ignore=shutil.ignore_patterns("__pycache__"))
    file = shop / change.file
    text = file.read_text().replace(
        "from archcheck import",
        "import dataclasses\nfrom archcheck import *\nfrom archcheck import",
        1,
    )
    assert change.old in text
    text = text.replace(change.old, change.new, 1)
    file.write_text(text)
    position = text.index(change.at or change.new)
    position += len(change.at or change.new) - len((change.at or change.new).lstrip())
    return file, text.count("\n", 0, position) + 1


def verify(shop: Path) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "archcheck",
            "verify",
            shop,
            "--fail-on",
            "info",
            "--format",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=shop.parent,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_there_is_a_breakage_for_every_rule() -> None:
    assert set(BREAKAGES) == {rule.id for rule in rules()}


def test_the_shop_itself_is_clean() -> None:
    code, report = verify(SHOP)
    assert (code, report[0]["findings"]) == (0, [])


@pytest.mark.parametrize("rule", sorted(BREAKAGES))
def test_the_broken_place_is_named(rule: str, tmp_path: Path) -> None:
    file, line = broken(tmp_path, BREAKAGES[rule])
    code, report = verify(file.parent)
    assert code == 1
    (system,) = report
    named = [
        f"{finding['place']['file']}:{finding['place']['line']} {finding['evidence']}"
        for finding in system["findings"]
        if finding["rule"] == rule
    ]
    assert re.search(rf"shop/{file.name}:{line}\b", "\n".join(named))
