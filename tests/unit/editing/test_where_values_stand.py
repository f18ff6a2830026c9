"""Values are edited where they stand: each patch is applied with git and the result is loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from edited_models import ENDS, HEAD, Models, front

from archcheck import Call, System
from archcheck.editing import Edit, patch_of
from archcheck.loading import load
from archcheck.model.linking import walk
from archcheck.units import Duration, ms


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two texts of one size in a second
    return Models(tmp_path)


def test_a_constant_changes_where_all_its_uses_do(models: Models) -> None:
    text = HEAD + "T = 50 * ms  # usual\n" + front(*['Call("b", timeout=T)'] * 2) + ENDS
    after = models.one(text, {0: 80 * ms, 1: 80 * ms})
    assert after == text.replace("T = 50 * ms", "T = 80 * ms")


def test_a_constant_stays_where_another_use_does(models: Models) -> None:
    text = HEAD + "T = 50 * ms\n" + front(*['Call("b", timeout=T)'] * 2) + ENDS
    after = models.one(text, {1: 80 * ms})
    assert after == text.replace("=T)])])", "=80 * ms)])])")


def test_a_constant_stays_that_is_computed_with(models: Models) -> None:
    text = HEAD + "T = 50 * ms\n" + front('Call("b", timeout=T)', 'Call("c", timeout=2 * T)') + ENDS
    assert models.one(text, {0: 80 * ms}) == text.replace("timeout=T", "timeout=80 * ms")


@pytest.mark.parametrize("text", ["T: Duration = 50 * ms\nQ = T\n", "Q = T = 50 * ms\n"])
def test_names_of_names(models: Models, text: str) -> None:
    text = HEAD + "from archcheck.units import Duration\n" + text
    text += front('Call("b", timeout=Q)') + ENDS
    assert "80 * ms" in models.one(text, {0: 80 * ms})


HELPER = "def read(name, timeout=T):\n    return Read(name, timeout=timeout)\n\n\n"


@pytest.mark.parametrize(
    ("new", "old_text", "new_text"),
    [
        ({0: 80 * ms}, 'read("db"), read', 'read("db", timeout=80 * ms), read'),
        ({0: 80 * ms, 1: 80 * ms}, "T = 50 * ms", "T = 80 * ms"),
        ({2: 80 * ms}, "timeout=9 * ms", "timeout=80 * ms"),
        ({3: 80 * ms}, "10 * ms", "80 * ms"),
    ],
)
def test_the_parameter_of_a_helper(
    models: Models, new: dict[int, Duration], old_text: str, new_text: str
) -> None:
    steps = 'read("db")', 'read("db")', 'read("db", timeout=9 * ms)', 'read("db", 10 * ms)'
    text = HEAD + "T = 50 * ms\n\n\n" + HELPER + front(*steps) + ENDS
    assert text.count(old_text) == 1
    assert models.one(text, new) == text.replace(old_text, new_text)


def test_the_default_of_a_helper_where_the_constant_is_used_elsewhere(models: Models) -> None:
    steps = 'read("db")', 'Call("b", timeout=T)', 'read("db")'
    text = HEAD + "T = 50 * ms\n\n\n" + HELPER + front(*steps) + ENDS
    after = models.one(text, {0: 80 * ms, 2: 80 * ms})
    assert after == text.replace("timeout=T):", "timeout=80 * ms):")


def test_the_body_of_a_helper(models: Models) -> None:
    helper = "def read(name):\n\treturn Read(name, timeout=50 * ms)  # all\n\n"
    text = HEAD + helper + front('read("db")', 'read("db")') + ENDS
    after = models.one(text, {0: 80 * ms, 1: 80 * ms})
    assert after == text.replace("50 * ms", "80 * ms")
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms}, written=0) == text
    assert "model.py:5: step 0" in models.patch.by_hand[0]
    assert "write 80 * ms for 50 * ms (1 other value would" in models.patch.by_hand[0]


def test_a_helper_of_helpers_and_a_local_name(models: Models) -> None:
    helpers = (
        "def inner(name, timeout):\n    return Read(name, timeout=timeout)\n\n\n"
        "def outer(name, limit=50 * ms):\n    mine = limit\n    return inner(name, mine)\n\n\n"
    )
    text = HEAD + helpers + front('outer("db")', 'outer("db", limit=7 * ms)') + ENDS
    after = models.one(text, {0: 80 * ms, 1: 90 * ms})
    assert "limit=80 * ms):" in after
    assert 'outer("db", limit=90 * ms)' in after


def test_a_method_of_a_class_of_helpers(models: Models) -> None:
    helpers = (
        "class Steps:\n    def read(self, name, timeout=50 * ms):\n"
        "        return Read(name, timeout=timeout)\n\n\nsteps = Steps()\n"
    )
    text = HEAD + helpers + front('steps.read("db")', 'steps.read("db", 9 * ms)') + ENDS
    after = models.one(text, {1: 8 * ms})
    assert after == text.replace("9 * ms", "8 * ms")


def test_a_dictionary_that_is_spread(models: Models) -> None:
    text = HEAD + 'USUAL = {"timeout": 50 * ms}\nMORE = dict(timeout=60 * ms)\n'
    text += front('Call("b", **USUAL)', 'Call("c", **USUAL)', 'Call("c", **MORE)') + ENDS
    after = models.one(text, {0: 80 * ms, 1: 80 * ms, 2: 90 * ms})
    assert after == text.replace("50 * ms", "80 * ms").replace("60 * ms", "90 * ms")
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {0: 80 * ms}, written=0) == text


@pytest.mark.parametrize(
    "steps",
    [
        '*[Call(f"{x}.go", timeout=50 * ms) for x in "bc"]',
        '*(Call(f"{x}.go", timeout=t) for x in "bc" for t in [50 * ms])',
        '*map(lambda x: Call(f"{x}.go", timeout=50 * ms), "bc")',
        '*[Call(f"{x}.go") for x in "bc"]',
    ],
)
def test_what_a_line_makes_for_several_changes_together(models: Models, steps: str) -> None:
    text = HEAD + front(steps) + ENDS
    assert "80 * ms" in models.one(text, {0: 80 * ms, 1: 80 * ms})
    (models.folder / "model.py").write_text(text)
    assert models.one(text, {1: 80 * ms}, written=0) == text


def test_a_loop(models: Models) -> None:
    text = HEAD + 'made = []\nfor name in "xyz":\n\tmade.append(Service(\n\t\tname,\n'
    text += '\t\tendpoints=[Endpoint("go", steps=[Call("b.go")])],\n\t))\n' + ENDS
    text += 'shop = System("shop", [*made, b, c, db])\n'
    after = models.one(text, {0: 80 * ms, 1: 80 * ms, 2: 80 * ms})
    assert after == text.replace('Call("b.go")', 'Call("b.go", timeout=80 * ms)')


def test_calls_in_a_line_are_told_apart(models: Models) -> None:
    steps = [f'Call("b.go", timeout={n} * ms)' for n in (50, 50, 50)]
    text = HEAD + front(*steps, 'Call("b")') + ENDS
    after = models.one(text, {1: 80 * ms, 3: 90 * ms})
    assert "timeout=50 * ms), Call" in after.replace("\n", "")
    assert after.count("timeout=50 * ms") == 2
    assert after.count("timeout=80 * ms") == 1


def test_several_files_and_a_constant_of_another_module(models: Models) -> None:
    files = {
        "limits.py": "from archcheck.units import ms\n\nQUICK = 50 * ms\nSLOW = 60 * ms\n",
        "helping.py": "import limits as known\nfrom archcheck import Read\n\n\n"
        "def read(name, timeout=known.SLOW):\n    return Read(name, timeout=timeout)\n",
        "one.py": "from limits import QUICK as Q\nfrom helping import *\n"
        + HEAD
        + front('Call("b", timeout=Q)', 'read("db")'),
        "two.py": "import limits\n"
        + HEAD
        + 'b = Service("b", endpoints=[Endpoint("go", steps=[Call("c", timeout=limits.QUICK)])])\n'
        + ENDS.partition("\n")[2],
    }
    # each file declares what it names
    system = models.write(files)
    assert len(models.steps(system)) == 3
    after = models.edited(files, {0: 80 * ms, 1: 90 * ms, 2: 80 * ms})
    assert after == {
        "limits.py": files["limits.py"].replace("50 * ms", "80 * ms").replace("60", "90")
    }
    for name, text in files.items():
        (models.folder / name).write_text(text)
    after = models.edited(files, {0: 80 * ms})
    assert list(after) == ["one.py"]
    assert 'Call("b", timeout=80 * ms)' in after["one.py"]


def test_a_package_with_relative_imports(models: Models) -> None:
    models.target = models.folder / "shop"
    files = {
        "shop/limits.py": "from archcheck.units import ms\nQUICK = 50 * ms\n",
        "shop/__init__.py": HEAD
        + "from .limits import QUICK\n"
        + front('Call("b", timeout=QUICK)')
        + ENDS,
    }
    assert list(models.edited(files, {0: 80 * ms})) == ["shop/limits.py"]


def test_another_system_of_the_same_files_stays_as_it_is(models: Models) -> None:
    files = {
        "limits.py": "from archcheck.units import ms\nQUICK = 50 * ms\n",
        "one.py": "from limits import QUICK\n"
        + HEAD
        + front('Call("b", timeout=QUICK)')
        + ENDS
        + 'one = System("one", [a, b, c, db])\n',
        "two.py": "import limits\n"
        + HEAD
        + 'x = Service("x", endpoints=[Endpoint("go", steps=[Work(getattr(limits, "QUICK"))])])\n'
        + 'two = System("two", [x])\n',
    }
    for name, text in files.items():
        (models.folder / name).write_text(text)
    one, _ = load(models.folder)
    patch = patch_of(one, [Edit(models.steps(one)[0], {"timeout": 80 * ms}, "a.go -> b.go")])
    # the constant would change both
    assert list(patch.files) == [str(models.folder / "one.py")]
    assert 'Call("b", timeout=80 * ms)' in patch.files[str(models.folder / "one.py")][1]


def test_line_ends_tabs_comments_and_a_mark_stay(models: Models) -> None:
    text = (
        "\ufeff"
        + HEAD
        + "T = 50 * ms\t# naïve\n"
        + front('Call("b", timeout=T)')
        + (
            'd = Service("d", endpoints=[Endpoint("go", steps=[\n'
            '\tCall(\n\t\t"b",\n\t\tretry=Retry(attempts=2),  # twice\n\t\t# no more\n\t),\n'
            '\tCall(\n\t\t"c"  # once\n\t), Call("c", timeout=(9 * ms)), Call("c", retry=(NO)),\n'
            "])])\n"
        ).replace("NO", 'Absent("no")')
        + ENDS.rstrip("\n")
    )
    text = text.replace("\n", "\r\n")
    new = {0: 80 * ms, 1: 81 * ms, 2: 82 * ms, 3: 83 * ms, 4: 84 * ms}
    after = models.one(text, new)
    expected = text.replace("50 * ms", "80 * ms").replace("(9 * ms)", "(83 * ms)")
    expected = expected.replace("# twice\r\n", "# twice\r\n\t\ttimeout=81 * ms,\r\n")
    expected = expected.replace('"c"  # once\r\n', '"c",  # once\r\n\t\ttimeout=82 * ms\r\n')
    expected = expected.replace('(Absent("no"))', '(Absent("no")), timeout=84 * ms')
    assert after == expected


def test_a_model_that_tells_its_text_is_left_alone(models: Models) -> None:
    """What the new text gives is not what was promised."""
    text = HEAD + "T = 50 * ms\nassert T == 50 * ms\n" + front('Call("b", timeout=T)') + ENDS
    after = models.one(text, {0: 80 * ms})  # a use that is no value of a part: at the call
    assert after == text.replace("timeout=T", "timeout=80 * ms")
    strict = HEAD + front('Call("b", timeout=50 * ms)') + ENDS
    strict += "if a.endpoints[0].steps[0].timeout > 60 * ms:\n    raise SystemExit\n"
    (models.folder / "model.py").write_text(strict)
    assert models.one(strict, {0: 80 * ms}, written=0) == strict


def test_units_that_a_file_does_not_know_are_imported(models: Models) -> None:
    text = '"""A model."""\n\nfrom archcheck import Call, Endpoint, MySQL, Service\n\n'
    text += front('Call("b")') + ENDS.replace(", read=2 * ms", "")
    after = models.one(text, {0: 80 * ms})
    assert "MySQL, Service\nfrom archcheck.units import ms\n\n" in after


@pytest.mark.parametrize("indent", ["", "\t"])
def test_lines_that_get_too_long_are_broken(models: Models, indent: str) -> None:
    head = HEAD.replace("#" * 160, "") + ("if True:\n" if indent else "")
    line = indent + front('Call("b", retry=Retry(attempts=2))')
    one = indent + (indent or "    ")
    two = one + (indent or "    ")
    after = models.one(head + line + ENDS, {0: 80 * ms})
    assert after == head + (
        f'{indent}a = Service(\n{one}"a",\n{one}endpoints=[\n'
        f'{two}Endpoint("go", steps=[Call("b", retry=Retry(attempts=2), timeout=80 * ms)]),\n'
        f"{one}],\n{indent})\n{ENDS}"
    )


def test_what_can_not_be_loaded_again_is_listed() -> None:
    names: dict[str, object] = {}
    exec(compile(HEAD + front('Call("b")') + ENDS, "<notebook>", "exec"), names)  # noqa: S102
    made = System("made", [names[name] for name in ("a", "b", "c", "db")])  # type: ignore[misc]
    step = next(part for part in walk(made.elements[0]) if isinstance(part, Call))
    patch = patch_of(made, [Edit(step, {"timeout": 80 * ms}, "a.go -> b.go")])
    assert patch.files == {}
    (text,) = patch.by_hand
    assert "a.go -> b.go: timeout: nothing becomes 80 ms; write timeout=80 * ms (no line" in text
