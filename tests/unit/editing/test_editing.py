"""Edits: applied to systems, patched into files, described where no line stands for them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archcheck import (
    Call,
    CircuitBreaker,
    Kubernetes,
    ModelError,
    RateLimit,
    Retry,
    RetryBudget,
    Service,
    System,
)
from archcheck.editing import Edit, apply, patch_of
from archcheck.editing.patches import source_of
from archcheck.loading import load
from archcheck.model import to_json
from archcheck.model.linking import walk
from archcheck.units import (
    GB,
    MB,
    Duration,
    Fraction,
    KiB,
    hours,
    millicores,
    minutes,
    ms,
    percent,
    s,
)

MODEL = '''\
"""A model."""

from archcheck import Call, Endpoint, Pool, Retry, Service, System
from archcheck.units import ms


def asked(name):
    return Call(name, timeout=9 * ms)


a = Service(
    "a",
    pools=[Pool("b", 5), Pool("c", 6)],
    endpoints=[
        Endpoint(
            "go",
            steps=[
                Call("b", timeout=250 * ms), Call("c"),
                Call(
                    "b",
                    retry=Retry(attempts=3),
                ),
                asked("b"),
                asked("c"),
            ],
        )
    ],
)
b = Service("b", endpoints=[Endpoint("go")])
c = Service("c", endpoints=[Endpoint("go")])
system = System("made", [a, b, c])
'''


@pytest.fixture
def system(tmp_path: Path) -> System:
    (tmp_path / "made.py").write_text(MODEL)
    (loaded,) = load(str(tmp_path / "made.py"))
    return loaded


def calls(system: System) -> list[Call]:
    return [part for m in system.elements for part in walk(m) if isinstance(part, Call)]


def timeouts(system: System) -> list[object]:
    return [call.timeout for call in calls(system)]


def test_edits_give_a_new_system_and_keep_the_places(system: System) -> None:
    first = calls(system)[0]
    changed = apply(system, [Edit(first, {"timeout": 90 * ms}, "a.go -> b.go")])
    assert timeouts(system)[0] == 250 * ms
    assert timeouts(changed) == [90 * ms, *timeouts(system)[1:]]
    assert calls(changed)[0].site == first.site
    assert apply(system, []) == system


def test_a_wrong_value_is_refused(system: System) -> None:
    with pytest.raises(ModelError, match="timeout"):
        apply(system, [Edit(calls(system)[0], {"timeout": 90}, "a.go -> b.go")])


def test_lines_are_patched_and_the_patch_applies(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, *_ = calls(system)
    (pool,) = [p for m in system.elements if isinstance(m, Service) for p in m.pools if p.size == 6]
    breaker = CircuitBreaker(failure_rate=50 * percent, open_for=30 * s)
    edits = [
        Edit(first, {"timeout": 1.5 * s}, "first"),
        Edit(second, {"timeout": 90 * ms, "breaker": breaker}, "second"),
        Edit(third, {"timeout": 80 * ms}, "third"),
        Edit(pool, {"size": 2}, "pool"),
    ]
    patch = patch_of(system, edits)
    assert patch.by_hand == ()
    (text,) = [after for _, after in patch.files.values()]
    # the line would be too long
    assert (
        '                Call("b", timeout=1.5 * s), Call(\n'
        '                    "c",\n'
        "                    timeout=90 * ms,\n"
        "                    breaker=CircuitBreaker(failure_rate=50 * percent, open_for=30 * s),\n"
        "                ),\n"
    ) in text
    assert (
        "                    retry=Retry(attempts=3),\n                    timeout=80 * ms," in text
    )
    assert 'Pool("b", 5), Pool("c", 2)' in text
    assert "from archcheck import Call, CircuitBreaker, Endpoint, Pool" in text
    assert "from archcheck.units import ms, percent, s\n" in text
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "apply"], input=patch.diff(), text=True, check=True, timeout=20)
    assert (tmp_path / "made.py").read_text() == text
    (tmp_path / "again.py").write_text(text)  # another name, since modules are loaded once
    (patched,) = load(str(tmp_path / "again.py"))
    assert to_json(patched) == to_json(apply(system, edits))


def test_what_a_helper_makes_for_others_too_is_told_in_words(system: System) -> None:
    *_, helped = calls(system)
    patch = patch_of(system, [Edit(helped, {"timeout": 8 * ms}, "a.go -> c.go")])
    assert patch.diff() == ""
    (text,) = patch.by_hand
    # the new text is said as well, and why it is not written
    assert text.endswith(
        "made.py:8: a.go -> c.go: timeout: 9 ms becomes 8 ms; write 8 * ms for 9 * ms "
        "(1 other value would change with it)"
    )
    assert patch.written == ()


def test_a_json_model_is_written_anew(system: System, tmp_path: Path) -> None:
    file = tmp_path / "made.json"
    file.write_text(to_json(system))
    (read,) = load(str(file))
    patch = patch_of(read, [Edit(calls(read)[0], {"timeout": 90 * ms}, "a.go -> b.go")])
    assert '-              "timeout": "250 ms"' in patch.diff()
    patch.write()
    (again,) = load(str(file))
    assert timeouts(again)[0] == 90 * ms


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (250 * ms, "250 * ms"),
        (99.95 * percent, "99.95 * percent"),
        (2000 / s, "2000 / s"),
        (4 * KiB, "4 * KiB"),
        (2 * GB, "2 * GB"),
        (RateLimit(5 / s, burst=3), "RateLimit(5 / s, burst=3)"),
        (Kubernetes(zones=["a", "b"]), 'Kubernetes(zones=["a", "b"])'),
        (
            Retry(attempts=2, budget=RetryBudget(10 * percent)),
            "Retry(attempts=2, budget=RetryBudget(10 * percent))",
        ),
        (Duration(0.0), "0 * s"),
        (3, "3"),
        (True, "True"),
        ("text", '"text"'),
        ('a "word"', "'a \"word\"'"),
        ("it's so\n", '"it\'s so\\n"'),
        (0.1 * ms, "0.1 * ms"),
        (5 * minutes, "5 * minutes"),
        (3 / hours, "3 / hours"),
        (250 * millicores, "250 * millicores"),
        (125 * MB / s, "125 * MB / s"),
        (Fraction(23.874), "Fraction(23.874)"),
        (4_000_000, "4_000_000"),
    ],
)
def test_values_are_written_as_a_person_would(value: object, source: str) -> None:
    assert source_of(value) == source
    names: dict[str, object] = {}
    exec(f"from archcheck import *\nfrom archcheck.units import *\nmade = {source}", names)  # noqa: S102
    assert names["made"] == value
