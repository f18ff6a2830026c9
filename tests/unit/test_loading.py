"""Models are found where they are, and what is wrong with them is said with the place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archcheck import ModelError, Place, Service, System, to_json
from archcheck.loading import load

PAYMENTS = (
    'from archcheck import *\npayments = Service("payments", endpoints=[Endpoint("Charge")])\n'
)
ORDERS = (
    "from archcheck import *\n"
    'orders = Service("orders", endpoints=[Endpoint("place", steps=[Call("payments.Charge")])])\n'
)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_a_file_without_a_system_is_a_system_of_its_elements(tmp_path: Path) -> None:
    write(tmp_path, shop=PAYMENTS + ORDERS)
    (system,) = load(tmp_path / "shop.py")
    assert system.name == "shop"
    assert {service.name for service in system.services} == {"payments", "orders"}


def test_a_folder_puts_its_files_together(tmp_path: Path) -> None:
    (system,) = load(write(tmp_path / "shop", payments=PAYMENTS, orders=ORDERS))
    assert (system.name, len(system.services)) == ("shop", 2)


def test_files_may_import_each_other(tmp_path: Path) -> None:
    orders = "from payments import payments\n" + ORDERS.replace('"payments.Charge"', "payments")
    (system,) = load(write(tmp_path / "shop", payments=PAYMENTS, orders=orders))
    assert len(system.services) == 2


def test_references_between_files_may_run_in_cycles(tmp_path: Path) -> None:
    payments = PAYMENTS.replace('Endpoint("Charge")', 'Endpoint("Charge", steps=[Call("orders")])')
    (system,) = load(write(tmp_path / "shop", payments=payments, orders=ORDERS))
    assert len(system.services) == 2


def test_a_package_may_import_its_modules_in_cycles(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "shop",
        __init__="from archcheck import *\nsystem = System.from_package(__name__)\n",
        payments="from . import orders\n" + PAYMENTS,
        orders="from . import payments\n" + ORDERS,
    )
    (system,) = load(folder)
    assert (system.name, len(system.services)) == ("shop", 2)


def test_a_package_says_in_which_order_its_files_count(tmp_path: Path) -> None:
    init = 'from archcheck import *\nsystem = System.from_package(__name__, order=["{}"])\n'
    folder = write(
        tmp_path / "shop", __init__=init.format("payments"), payments=PAYMENTS, orders=ORDERS
    )
    (system,) = load(folder)
    assert [service.name for service in system.services] == ["payments", "orders"]
    (folder / "__init__.py").write_text(init.format("paymets"))
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert caught.value.place == Place(str(folder / "__init__.py"), 2)
    assert caught.value.sentence == (
        "order: there is no module 'paymets' in the package; did you mean 'payments'?"
    )


def test_a_file_may_hold_two_systems(tmp_path: Path) -> None:
    text = PAYMENTS + 'a = System("a", [payments])\nb = System("b", [payments])\n'
    assert [s.name for s in load(write(tmp_path, both=text) / "both.py")] == ["a", "b"]


def test_a_folder_of_folders_holds_a_system_each(tmp_path: Path) -> None:
    write(tmp_path / "one", model=PAYMENTS)
    write(tmp_path / "two", model=PAYMENTS.replace("payments", "refunds"))
    systems = load(tmp_path)
    assert [(s.name, s.services[0].name) for s in systems] == [
        ("one", "payments"),
        ("two", "refunds"),
    ]


def test_loading_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    load(write(tmp_path / "shop", payments=PAYMENTS))
    assert set(sys.modules) == before


def test_names_with_an_underscore_are_templates(tmp_path: Path) -> None:
    text = PAYMENTS.replace("payments =", "_template =") + 'real = Service("real")\n'
    (system,) = load(write(tmp_path, shop=text) / "shop.py")
    assert [service.name for service in system.services] == ["real"]


def test_lists_of_elements_belong_to_the_system(tmp_path: Path) -> None:
    text = "from archcheck import *\nmany = [Service(f'svc{n}') for n in range(3)]\n"
    (system,) = load(write(tmp_path, shop=text) / "shop.py")
    assert len(system.services) == 3


def test_a_json_file_is_a_system(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(to_json(System("shop", [Service("a")])))
    assert load(path)[0].services == (Service("a"),)


def test_a_module_attribute_is_a_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "shops", __init__="", one=PAYMENTS + 'first = System("first", [payments])\n')
    monkeypatch.chdir(tmp_path)
    assert load("shops.one:first")[0].name == "first"
    with pytest.raises(ModelError, match=r"has no 'frist'; did you mean 'first'"):
        load("shops.one:frist")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = (", "shop.py:1: syntax error: '(' was never closed"),
        (
            "\n\nraise RuntimeError('no database')",
            "shop.py:3: the model raises RuntimeError: no database",
        ),
        ("import sys\nsys.exit(3)", "shop.py:2: the model raises SystemExit: 3"),
        (
            "import nowhere_to_be_found",
            "the model raises ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        ("def f():\n    return 1 / 0\nx = f()", "shop.py:2: the model raises ZeroDivisionError"),
        (
            "from archcheck import *\n\nService('a', ownr='x')",
            "shop.py:3: Service 'a': there is no",
        ),
        ("from archcheck import Servise", "cannot import name 'Servise'"),
        ("x = 1", "shop.py declares no system"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    write(tmp_path, shop=text)
    with pytest.raises(ModelError) as error:
        load(tmp_path / "shop.py")
    assert sentence in str(error.value)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, shop=PAYMENTS)
    with pytest.raises(ModelError, match=r"did you mean 'shop.py'"):
        load(tmp_path / "shp.py")


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.txt").write_text("hello")
    with pytest.raises(ModelError, match="neither a Python file, a JSON file nor a folder"):
        load(tmp_path / "shop.txt")


def test_two_systems_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", shop=PAYMENTS)
    write(tmp_path / "b", shop=PAYMENTS)
    with pytest.raises(ModelError, match="two systems called 'shop'"):
        load(tmp_path / "a" / "shop.py", tmp_path / "b" / "shop.py")


ACCEPTED = 'accepted = Suppression("RES001", "orders.*", reason="x")\n'


def test_a_suppression_beside_the_elements_belongs_to_their_system(tmp_path: Path) -> None:
    write(tmp_path, shop=PAYMENTS + ORDERS, rest="from archcheck import *\n" + ACCEPTED)
    (system,) = load(tmp_path)
    assert [suppression.rule for suppression in system.suppressions] == ["RES001"]


def test_a_suppression_that_no_system_lists_is_refused(tmp_path: Path) -> None:
    explicit = PAYMENTS + ACCEPTED + 'system = System("shop", [payments]{})\n'
    write(tmp_path, shop=explicit.format(""))
    with pytest.raises(ModelError, match=r"shop.py:3: .*RES001 for orders.* belongs to no system"):
        load(tmp_path / "shop.py")
    write(tmp_path, shop=explicit.format(", suppressions=[accepted]"))
    (system,) = load(tmp_path / "shop.py")
    assert len(system.suppressions) == 1
