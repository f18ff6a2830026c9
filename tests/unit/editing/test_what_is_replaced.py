"""Only values are replaced: a parameter, a choice or a row leads to what it stands for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from edited_models import ENDS, HEAD, Models, front

from archcheck import Call, Retry
from archcheck.editing import Edit
from archcheck.model.linking import walk
from archcheck.units import ms


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two texts of one size in a second
    return Models(tmp_path)


# -- tables ---------------------------------------------------------------------------------------

SERVICES = 'services = [Service(name, deployment=pods(n), endpoints=[Endpoint("do")]) for {over}]\n'
PODS = "def pods(n):\n    return Kubernetes(replicas=n)\n\n\n"


@pytest.mark.parametrize(
    ("table", "over"),
    [
        ('{"web": (8, "x"), "pay": (1, "y"), "bank": (4, None)}', "name, (n, to) in T.items()"),
        ('{"web": (8, "x"), "pay": (1, "y"), "bank": (8, None)}', "name, (n, _) in T.items()"),
        ('[("web", 8), ("pay", 1), ("bank", 1)]', "name, n in T"),
        ('[["web", 8], ["pay", 1]]', "i, (name, n) in enumerate(T)"),
        ("dict(web=8, pay=1, bank=1)", "name, n in T.items()"),
    ],
)
def test_the_row_of_a_table(models: Models, table: str, over: str) -> None:
    text = HEAD + PODS + f"T = {table}\n" + SERVICES.format(over=over)
    at = text.index("pay")
    changed = text[:at] + text[at:].replace("1", "2", 1)
    assert models.replicas(text, {"pay": 2}) == changed


@pytest.mark.parametrize(
    ("over", "given"),
    [
        ("name in T", 'T[name]["n"]'),
        ("name, row in T.items()", 'row["n"]'),
        ("name, row in T.items()", 'row.get("n", 9)'),
        ("name, n in zip(T, [8, 1, 1])", "n"),
    ],
)
def test_an_item_that_is_looked_up(models: Models, over: str, given: str) -> None:
    """All rows have the same number: which one it is, is told by the number of the service."""
    table = 'T = {\n    "web": {"n": 1},\n    "pay": dict(n=1),\n    "bank": {"n": 1},\n}\n'
    text = HEAD + PODS + table + SERVICES.format(over=over).replace("pods(n)", f"pods({given})")
    after = models.replicas(text, {"pay": 2})
    if "zip" in over:
        assert after == text.replace("[8, 1, 1]", "[8, 2, 1]")
    else:
        assert after == text.replace("dict(n=1)", "dict(n=2)")


def test_the_row_of_a_loop_with_calls_that_not_all_turns_make(models: Models) -> None:
    table = 'T = {"x": 50 * ms, "y": 50 * ms, "z": 50 * ms}\nmade = []\n'
    loop = (
        "for name, t in T.items():\n"
        '    calls = [Call("b", timeout=t)] if name != "x" else [Read("db")]\n'
        '    made.append(Service(name, endpoints=[Endpoint("go", steps=calls)]))\n'
    )
    text = HEAD + table + loop + ENDS + 'shop = System("shop", [*made, b, c, db])\n'
    after = models.one(text, {2: 80 * ms})
    assert after == text.replace('"z": 50', '"z": 80')


def test_a_table_that_is_used_for_its_keys_as_well(models: Models) -> None:
    text = HEAD + 'T = {"b": 50 * ms, "c": 60 * ms}\nNAMES = list(T)\n'
    text += front("*[Call(name, timeout=t) for name, t in T.items()]") + ENDS
    assert models.one(text, {1: 80 * ms}) == text.replace("60 * ms", "80 * ms")


def test_a_table_of_another_module(models: Models) -> None:
    files = {
        "limits.py": 'from archcheck.units import ms\n\nT = {"b": 50 * ms, "c": 60 * ms}\n',
        "model.py": HEAD
        + "import limits\n"
        + front("*[Call(name, timeout=t) for name, t in sorted(limits.T.items())]")
        + ENDS,
    }
    after = models.edited(files, {0: 80 * ms, 1: 90 * ms})
    new = files["limits.py"].replace("50", "80").replace("60", "90")
    assert after == {"limits.py": new}


def test_a_constant_in_a_row(models: Models) -> None:
    text = HEAD + 'SLOW = 50 * ms\nT = {"b": SLOW, "c": SLOW}\n'
    text += front("*[Call(name, timeout=t) for name, t in T.items()]") + ENDS
    assert models.one(text, {1: 80 * ms}) == text.replace('"c": SLOW', '"c": 80 * ms')
    (models.folder / "model.py").write_text(text)
    after = models.one(text, {0: 80 * ms, 1: 80 * ms})
    assert after == text.replace("SLOW = 50", "SLOW = 80")


# -- helpers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["1", "n=1", ""])
def test_a_lambda_as_a_helper(models: Models, given: str) -> None:
    text = HEAD + "K = lambda n=1: Kubernetes(replicas=n)\n"
    text += 'web = Service("web", deployment=K(12), endpoints=[Endpoint("do")])\n'
    text += f'pay = Service("pay", deployment=K({given}), endpoints=[Endpoint("do")])\n'
    text += 'bank = Service("bank", deployment=K(), endpoints=[Endpoint("do")])\n'
    after = models.replicas(text, {"pay": 2})
    new = given.replace("1", "2") or "n=2"
    assert after == text.replace(f'"pay", deployment=K({given})', f'"pay", deployment=K({new})')


WRAPPED = """\
def named(function):
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner


@named
def ask(target, *, timeout=50 * ms, **others):
    return Call(target, timeout=timeout, **others)


"""


def test_a_helper_with_a_decorator(models: Models) -> None:
    text = HEAD + WRAPPED + front('ask("b")', 'ask("c", timeout=60 * ms)') + ENDS
    after = models.one(text, {0: 80 * ms, 1: 90 * ms})
    assert after == text.replace("timeout=50", "timeout=80").replace("timeout=60", "timeout=90")


def test_a_parameter_in_a_helper_stays(models: Models) -> None:
    """Its caller is not found: by hand, and never in place of the parameter."""
    text = HEAD + "def ask(target, timeout):\n    return Call(target, timeout=timeout)\n\n\n"
    text += front('*map(ask, ["b"], [50 * ms])') + ENDS
    assert models.one(text, {0: 80 * ms}, written=0) == text
    (advice,) = models.patch.by_hand
    assert "model.py:5: step 0: timeout: 50 ms becomes 80 ms; write 80 * ms for timeout" in advice


@pytest.mark.parametrize(("name", "given"), [("name", '"b"'), ("name='b'", "")])
def test_an_attribute_of_the_object_stays(models: Models, name: str, given: str) -> None:
    helper = (
        "class Made:\n    def __init__(self, timeout):\n        self.timeout = timeout\n\n"
        f"    def ask(self, {name}):\n        return Call(name, timeout=self.timeout)\n\n\n"
    )
    text = HEAD + helper + front(f"Made(50 * ms).ask({given})") + ENDS
    assert models.one(text, {0: 80 * ms}, written=0) == text
    assert "model.py:9: step 0" in models.patch.by_hand[0]
    assert "write 80 * ms for self.timeout" in models.patch.by_hand[0]


def test_a_value_of_a_class(models: Models) -> None:
    text = HEAD + "class Limits:\n    T = 50 * ms\n\n\n"
    text += front('Call("b", timeout=Limits.T)', 'Call("c", timeout=Limits.T)') + ENDS
    assert models.one(text, {0: 80 * ms, 1: 80 * ms}) == text.replace("T = 50", "T = 80")
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms}) == text.replace("=Limits.T", "=80 * ms", 1)


OBJECTS = """\
from dataclasses import dataclass, replace
from enum import Enum


@dataclass(frozen=True)
class Settings:
    timeout: object = 40 * ms
    other: object = 50 * ms


class Limits(Enum):
    FAST = 50 * ms
    SLOW = 90 * ms


USUAL = Settings()
MINE = Settings(timeout=50 * ms)
SLOWER = replace(USUAL, timeout=50 * ms)


def ask(target, settings):
    return Call(target, timeout=settings.timeout)


"""


@pytest.mark.parametrize(
    ("given", "old"),
    [
        ("USUAL.other", "other: object = 50"),
        ("MINE.timeout", "MINE = Settings(timeout=50"),
        ("SLOWER.timeout", "replace(USUAL, timeout=50"),
        ("Limits.FAST.value", "FAST = 50"),
    ],
)
def test_the_field_of_an_object(models: Models, given: str, old: str) -> None:
    text = HEAD + OBJECTS + front(f'Call("b", timeout={given})', f'Call("c", timeout={given})')
    text += ENDS
    after = models.one(text, {0: 80 * ms, 1: 80 * ms})
    assert after == text.replace(old, old.replace("50", "80"))
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms}) == text.replace(f"timeout={given}", "timeout=80 * ms", 1)


def test_the_field_of_a_parameter_stays(models: Models) -> None:
    text = HEAD + OBJECTS + front('ask("b", MINE)', 'ask("c", SLOWER)') + ENDS
    after = models.one(text, {0: 80 * ms})
    assert after == text.replace("MINE = Settings(timeout=50", "MINE = Settings(timeout=80")
    text = text.replace("SLOWER)]", "MINE)]")
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms}, written=0) == text


def test_arguments_that_a_helper_passes_on(models: Models) -> None:
    helper = (
        'def ask(target, **options):\n    options.setdefault("timeout", 50 * ms)\n'
        "    return Call(target, **options)\n\n\n"
    )
    text = HEAD + helper + front('ask("b")', 'ask("c", timeout=60 * ms)', 'ask("c")') + ENDS
    after = models.one(text, {0: 80 * ms, 1: 90 * ms})
    assert after == text.replace('ask("b")', 'ask("b", timeout=80 * ms)').replace("60 *", "90 *")


def test_a_partial_call(models: Models) -> None:
    text = HEAD + "from functools import partial\nquick = partial(Call, timeout=50 * ms)\n"
    text += front('quick("b")', 'quick("c")') + ENDS
    assert models.one(text, {0: 80 * ms}) == text.replace(
        'quick("b")', 'quick("b", timeout=80 * ms)'
    )
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms, 1: 80 * ms}) == text.replace("50 * ms", "80 * ms")


# -- choices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ("50 * ms if PROD else 900 * ms", "80 * ms if PROD else 900 * ms"),
        ("900 * ms if not PROD else 50 * ms", "900 * ms if not PROD else 80 * ms"),
        ("NONE or 50 * ms", "NONE or 80 * ms"),
        ("max(50 * ms, 20 * ms)", "max(80 * ms, 20 * ms)"),
        ("(t := 50 * ms)", "(t := 80 * ms)"),
        ("(10 + 40) * ms", "80 * ms"),
    ],
)
def test_what_was_taken_is_changed(models: Models, given: str, changed: str) -> None:
    text = HEAD + f"PROD = True\nNONE = None\nT = {given}\n" + front('Call("b", timeout=T)')
    text += ENDS
    assert models.one(text, {0: 80 * ms}) == text.replace(f"T = {given}", f"T = {changed}")


@pytest.mark.parametrize(
    "given",
    [
        "50 * ms if PROD else 50 * ms",
        'int(os.environ.get("T", "50")) * ms',
        "FACTOR * ms",
        "max(50 * ms, 50 * ms)",
        '{"x": 50 * ms}.pop("x")',
    ],
)
def test_what_is_more_than_a_value_stays(models: Models, given: str) -> None:
    text = "import os\n" + HEAD + "PROD = True\nFACTOR = 50\n"
    text += f"T = {given}\n" + front('Call("b", timeout=T)') + ENDS
    assert models.one(text, {0: 80 * ms}, written=0) == text
    assert "model.py:7: step 0" in models.patch.by_hand[0]


def test_a_choice_by_a_statement_stays(models: Models) -> None:
    text = HEAD + "if True:\n    T = 50 * ms\nelse:\n    T = 900 * ms\n"
    text += front('Call("b", timeout=T)') + ENDS
    assert models.one(text, {0: 80 * ms}, written=0) == text


# -- parts that several share ---------------------------------------------------------------------

SHARED = (
    HEAD
    + "STD = Retry(attempts=3, backoff=20 * ms, jitter=True)  # what everybody does\n"
    + front('Call("b", retry=STD)', 'Call("c", retry=STD)')
    + ENDS
)


def test_one_of_those_that_share_a_part_gets_its_own(models: Models) -> None:
    files = {"model.py": SHARED}
    system = models.write(files)
    one, other = (step.retry for step in models.steps(system) if isinstance(step, Call))
    assert isinstance(one, Retry)
    assert one is not other
    after = models.patched(files, system, [Edit(one, {"attempts": 1}, "a.go -> b.go")])
    new = "Retry(attempts=1, backoff=20 * ms, jitter=True)"
    assert after["model.py"] == SHARED.replace("retry=STD", f"retry={new}", 1)


def test_all_that_share_a_part_change_where_it_stands(models: Models) -> None:
    files = {"model.py": SHARED}
    system = models.write(files)
    every = [part for part in walk(system.elements[0]) if isinstance(part, Retry)]
    edits = [Edit(part, {"attempts": 1}, "a.go") for part in every]
    assert len(edits) == 2
    assert models.patched(files, system, edits)["model.py"] == SHARED.replace("=3", "=1")


def test_a_part_that_a_helper_makes_is_not_written_out(models: Models) -> None:
    """It would leave the helper's other values behind."""
    text = HEAD + "def pods():\n    return Kubernetes(replicas=1)\n\n\n"
    for name in ("web", "pay"):
        text += f'{name} = Service("{name}", deployment=pods(), endpoints=[Endpoint("do")])\n'
    assert models.replicas(text, {"pay": 2}, written=0) == text
    assert "write 2 for 1 (1 other value would change with it)" in models.patch.by_hand[0]
    (models.folder / "model.py").write_text(text)
    assert "replicas=2" in models.replicas(text, {"web": 2, "pay": 2})


def test_what_gives_something_else_is_tried_nearer_to_the_part(models: Models) -> None:
    text = HEAD + "T = U = 50 * ms\n" + front('Call("b", timeout=T)')
    text += ENDS.replace("read=2 * ms", "read=U")
    assert models.one(text, {0: 80 * ms}) == text.replace("timeout=T", "timeout=80 * ms")
