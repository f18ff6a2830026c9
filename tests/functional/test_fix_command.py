"""``archcheck fix`` as people use it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import archcheck

from archcheck import fix
from archcheck.cli.fix import write_patch
from archcheck.editing import Patch
from archcheck.proof.repair import Repair

ROOT = Path(__file__).parents[2]


def test_the_readme_model_is_mended_by_a_timeout() -> None:
    """The query takes 4 ms on average, exponentially: 27.6 ms in one of a thousand cases."""
    done = archcheck("fix", "examples/checkout.py")
    assert done.returncode == 0
    assert done.stdout.startswith("checkout: 1 edit at a cost of 1, the least that is possible\n")
    (written,) = re.findall(r'Write\("ledger", timeout=(\d+) \* ms\)', done.stdout)
    assert 28 <= int(written) <= 80
    # the missing contract and the pool of the framework stay
    assert "3 places with a finding before, 2 after: 1 fixed, 0 introduced" in done.stdout


def test_a_json_model_is_written_and_simulated(tmp_path: Path) -> None:
    file = tmp_path / "checkout.json"
    archcheck("export", "examples/checkout.py", "-o", file)
    done = archcheck("fix", file, "--write", "--simulate", "peak", cwd=tmp_path)
    assert done.returncode == 0
    assert "wrote" in done.stderr
    assert "checkout under peak" in done.stdout
    again = archcheck("verify", file, "--select", "RES001,RES003", cwd=tmp_path)
    assert again.returncode == 0


def test_a_price_in_answers_is_said_and_not_paid(tmp_path: Path) -> None:
    """A database that accepts fewer connections than its services keep: smaller pools would fit,
    and turn requests away that are answered today.
    """
    (tmp_path / "model.py").write_text(
        "from archcheck import *\n"
        "from archcheck.units import ms, s\n"
        "db = MySQL('db', read=50 * ms, max_connections=30)\n"
        "web = Service('web', deployment=Kubernetes(replicas=4), runtime=GoKit(),\n"
        "    pools=[Pool('db', size=10, max_wait=1 * ms)],\n"
        "    endpoints=[Endpoint('go', steps=[Read('db', timeout=900 * ms)])])\n"
        "use = Journey('use', 'web.go')\n"
        "day = Scenario('day', load=[Load(use, Poisson(350 / s))])\n"
    )
    done = archcheck("fix", "model.py", "--select", "DAT005", cwd=tmp_path)
    assert done.returncode == 1
    assert "not offered, as answers or findings would be their price:" in done.stdout
    assert re.search(r"size: 10 becomes \d: under day, [\d.]+% of use end without", done.stdout)
    assert "left: DAT005 db: what would mend it is not offered" in done.stdout
    assert "+" not in done.stdout


ONCE = """\
from archcheck import *
from archcheck.units import ms, s

db = MySQL("db", read=2 * ms, copies=1)
web = Service(
    "web",
    deployment=Kubernetes(replicas=1),
    endpoints=[Endpoint("go", steps=[Read("db", timeout=90 * ms), Read("db")])],
)
use = Journey("use", "web.go", critical=True)
"""


BUSY = """\
from archcheck import *
from archcheck.units import cores, ms, s

web = Service(
    "web",
    runtime=Go(),
    deployment=Kubernetes(replicas=1, resources=Resources(cpu=2 * cores, cpu_limit=2 * cores)),
    endpoints=[Endpoint("go", steps=[Work(Exponential(20 * ms))])],
)
use = Journey("use", "web.go", critical=True)
day = Scenario("day", load=[Load(use, Poisson(80 / s))])
"""


def test_only_what_is_named_is_mended_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ONCE)
    both = archcheck("fix", "model.py", cwd=tmp_path).stdout
    assert "web: deployment: replicas: 1 becomes 2" in both
    assert "timeout" in both
    done = archcheck("fix", "model.py", "--only", "RES001", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "replicas: 1 becomes" not in done.stdout
    assert "timeout: nothing becomes" in done.stdout
    assert "left:" not in done.stdout
    wrong = archcheck("fix", "model.py", "--only", "RES0O1", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "RES0O1" in wrong.stderr


def test_an_edit_says_what_it_mends_and_what_else_would(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ONCE)
    done = archcheck("fix", "model.py", "--explain", cwd=tmp_path)
    said = done.stdout.split("introduced")[1]
    assert re.search(r"web.go -> db \(read 2\): timeout: nothing becomes .*, at a cost of 1", said)
    assert re.search(r"  mends: .*RES001 web.go -> db", said)
    assert re.search(
        r"web: deployment: replicas: 1 becomes 2, at a cost of [\d.]+\n  mends: ", said
    )
    assert "(as RES001 advises)" in said


CONSTANTS = """\
from archcheck import *
from archcheck.units import ms, s

T = 50 * ms          # the usual timeout


def read(name, timeout=T):
    return Read(name, timeout=timeout)


web = Service("web", endpoints=[Endpoint("go", steps=[Call("mid.do", timeout=T)])])
mid = Service("mid", endpoints=[Endpoint("do", steps=[read("db"), *[LEAVES]])])
leaf0 = Service("leaf0", endpoints=[Endpoint("x", idempotent=True, steps=[Work(5 * ms)])])
leaf1 = Service("leaf1", endpoints=[Endpoint("x", idempotent=True, steps=[Work(5 * ms)])])
db = MySQL("db", read=2 * ms)
go = Journey("go", "web.go", critical=True, timeout=1 * s)
"""


LEAVES = (
    "Call(f'leaf{i}.x', timeout=(i + 1) * 30 * ms, retry=Retry(attempts=2, backoff=10 * ms)) "
    "for i in range(2)"
)
INVERSIONS = "RES001,RES002,RES003"


def test_a_constant_stays_and_the_call_gets_the_value(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(CONSTANTS.replace("LEAVES", LEAVES))
    done = archcheck("fix", "model.py", "--select", INVERSIONS, cwd=tmp_path)
    assert done.returncode == 0
    assert "1 place with a finding before, 0 after: 1 fixed, 0 introduced" in done.stdout
    assert "# by hand" not in done.stdout
    subprocess.run(
        ["git", "apply"], input=done.stdout, text=True, check=True, cwd=tmp_path, timeout=20
    )
    text = (tmp_path / "model.py").read_text()
    assert "T = 50 * ms          # the usual timeout\n" in text
    assert re.search(r'steps=\[Call\("mid.do", timeout=\d+ \* ms\)\]', text)
    assert archcheck("verify", "model.py", "--select", INVERSIONS, cwd=tmp_path).returncode == 0


def test_what_a_line_makes_gets_the_value_together(tmp_path: Path) -> None:
    """One of the leaves has to try less often; the other does so as well, and is paid for."""
    text = CONSTANTS.replace("LEAVES", LEAVES).replace("timeout=1 * s", "timeout=200 * ms")
    (tmp_path / "model.py").write_text(text)
    costs = "timeout=2,attempts=1"
    done = archcheck("fix", "model.py", "--select", INVERSIONS, "--allow", costs, cwd=tmp_path)
    assert done.returncode == 0
    assert "3 edits at a cost of 4, no repair costs less than 3" in done.stdout
    assert "  mid.do -> leaf0.x: attempts: 2 becomes 1\n" in done.stdout
    assert "  mid.do -> leaf1.x: attempts: 2 becomes 1\n" in done.stdout
    assert "Retry(attempts=1, backoff=10 * ms)) for i in range(2)" in done.stdout
    assert "1 place with a finding before, 0 after: 1 fixed, 0 introduced" in done.stdout


PODS = """\
from archcheck import *
from archcheck.units import GiB, cores, ms, s

MOST = 1 * cores


def service(name, steps, replicas):
    return Service(
        name,
        deployment=Kubernetes(
            {replicas}, zones=["a", "b"], resources=Resources(cpu=MOST, cpu_limit=MOST)
        ),
        endpoints=[Endpoint("do", steps=steps)],
    )


web = service("web", [Work(1 * ms), Call("pay.do", timeout=500 * ms)], {web})
pay = service("pay", [Work(1 * ms)], {pay})
use = Journey("use", "web.do", critical=True)
day = Scenario("day", load=[Load(use, Poisson(80 / s))])
"""


def test_the_number_of_a_bystander_is_not_lowered(tmp_path: Path) -> None:
    """One text gives both their replicas, in a way that cannot be seen."""
    text = PODS.format(replicas="replicas=replicas()", web="lambda: 8", pay="lambda: 1")
    (tmp_path / "model.py").write_text(text)
    done = archcheck("fix", "model.py", "--allow", "replica", cwd=tmp_path)
    assert "pay: deployment: replicas: 1 becomes 2" in done.stdout
    assert "web: deployment" not in done.stdout
    assert "model.py:11: pay: deployment: replicas: 1 becomes 2; write 2 for replicas()" in (
        done.stdout
    )
    assert "+" not in done.stdout


def test_a_part_that_others_share_is_written_anew_at_the_one_call(tmp_path: Path) -> None:
    text = (
        "from archcheck import *\n"
        "from archcheck.units import ms, s\n"
        "STD = Retry(attempts=3, backoff=20 * ms, jitter=True)\n"
        "web = Service('web', endpoints=[Endpoint('buy', steps=[\n"
        "    Call('cart.get', timeout=100 * ms, retry=STD),\n"
        "    Call('pay.do', timeout=90 * ms, retry=STD)])])\n"
        "cart = Service('cart', endpoints=[Endpoint('get', idempotent=True)])\n"
        "pay = Service('pay', endpoints=[Endpoint('do', idempotent=True)])\n"
        "buy = Journey('buy', 'web.buy', critical=True, timeout=500 * ms)\n"
    )
    (tmp_path / "model.py").write_text(text)
    rules = ("--select", "RES002,RES003", "--allow", "attempts=1")
    done = archcheck("fix", "model.py", *rules, "--write", cwd=tmp_path)
    assert done.stdout.startswith("model: 1 edit at a cost of 1")
    (name,) = re.findall(r"  web.buy -> (\w+).\w+: attempts: 3 becomes ", done.stdout)
    written = (tmp_path / "model.py").read_text()
    assert "STD = Retry(attempts=3, backoff=20 * ms, jitter=True)" in written
    assert written.count("retry=STD") == 1
    assert re.search(rf"'{name}.\w+',\s+timeout=\d+ \* ms,\s+retry=Retry\(attempts=", written)


def test_what_gets_a_number_together_is_listed_by_its_own_name(tmp_path: Path) -> None:
    text = PODS.format(replicas="replicas=2", web="None", pay="None")
    (tmp_path / "model.py").write_text(text.replace('"pay", [Work(1 *', '"pay", [Work(12 *'))
    done = archcheck("fix", "model.py", "--allow", "replica", "--only", "PRF001", cwd=tmp_path)
    assert "2 edits at a cost of 8, no repair costs less than 4" in done.stdout
    assert "  pay: deployment: replicas: 2 becomes 4\n" in done.stdout
    assert "  web: deployment: replicas: 2 becomes 4\n" in done.stdout
    assert "+            replicas=4, zones=" in done.stdout


def test_what_is_not_written_is_not_mended(tmp_path: Path) -> None:
    """A call has no line in any file; another timeout is of no use without the change of it."""
    leaves = "eval(\"Call('leaf1.x', timeout=60 * ms, retry=Retry(attempts=2, backoff=10 * ms))\")"
    text = CONSTANTS.replace("LEAVES", leaves).replace("timeout=1 * s", "timeout=120 * ms")
    (tmp_path / "model.py").write_text("print('loaded')\n" + text)
    chosen = ("--select", INVERSIONS, "--allow", "timeout")
    done = archcheck("fix", "model.py", *chosen, cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"# by hand: .*leaf1.x: .*; write timeout=.* \(no line of a file", done.stdout)
    assert "of no use without the others by hand" in done.stdout
    assert "1 place with a finding before, 1 after the patch: 0 fixed, 0 introduced" in done.stdout
    assert "by hand: 0 after" in done.stdout
    assert "loaded" not in done.stdout


def test_costs_come_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "archcheck.toml").write_text("[edits]\nbreaker = 1\n")
    done = archcheck("fix", ROOT / "examples" / "checkout.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "left: RES001 payments.Charge -> ledger: no allowed edit sets a timeout" in done.stdout
    (tmp_path / "archcheck.toml").write_text("[edits]\nbraeker = 1\n")
    wrong = archcheck("fix", ROOT / "examples" / "checkout.py", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "archcheck.toml:1: there is no kind of edit 'braeker'; did you mean 'breaker'" in (
        wrong.stderr
    )


def test_a_python_model_is_written_and_is_what_the_patch_says(tmp_path: Path) -> None:
    """With its line ends; what the patch says is what stands there."""
    file = tmp_path / "model.py"
    file.write_bytes(ONCE.replace("\n", "\r\n").encode())
    done = archcheck("fix", "model.py", "--only", "RES001", "--write", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "wrote model.py\n")
    written = file.read_bytes().decode()
    assert "\n" not in written.replace("\r\n", "")
    added = re.findall(r"(?m)^\+(?!\+)(.*)$", done.stdout)
    assert added
    assert all(f"{line}\r\n" in written for line in added)
    again = archcheck("fix", "model.py", "--only", "RES001", "--write", cwd=tmp_path)
    assert "nothing is found that fix could mend" in again.stdout
    assert file.read_bytes().decode() == written


@pytest.mark.parametrize(
    "command",
    [
        ("fix",),
        ("prove", "--suggest", "timeouts"),
    ],
)
def test_a_patch_of_a_file_with_tabs_and_returns_applies(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "model.py"
    file.write_bytes(ONCE.replace("    ", "\t").replace("\n", "\r\n").encode())
    archcheck(*command, "model.py", "-o", "patch", cwd=tmp_path)
    subprocess.run(["git", "apply", "patch"], check=True, cwd=tmp_path, timeout=20)
    changed = file.read_bytes()
    assert re.search(rb'timeout=\d+ \* ms\), Read\("db", timeout=\d+ \* ms\)\]\),\r\n\t\]', changed)


def test_a_json_model_that_changed_meanwhile_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves the file while edits are looked for, or while a person is asked."""
    file = tmp_path / "checkout.json"
    archcheck("export", "examples/checkout.py", "-o", file)
    changed = file.read_text().replace('"payments"', '"billing"').replace("payments.", "billing.")

    def slow(*arguments: Any, **options: Any) -> Repair:
        found = fix(*arguments, **options)
        file.write_text(changed)
        return found

    monkeypatch.setattr("archcheck.facade.fix", slow)
    done = archcheck("fix", file, "--write", cwd=tmp_path)
    assert done.returncode == 2
    assert "checkout.json has changed since it was read: nothing is written" in done.stderr
    assert file.read_text() == changed


def test_a_person_decides_about_each_edit(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ONCE)
    done = archcheck("fix", "model.py", "--interactive", cwd=tmp_path, stdin="n\n\nmaybe\ny\n")
    assert done.returncode == 1
    assert "1 of 3: web.go -> db (read 2): timeout: nothing becomes" in done.stderr
    assert "mends: RES001 web.go -> db" in done.stderr
    assert "instead: timeout=" in done.stderr
    assert "Error: invalid input" in done.stderr
    assert done.stdout.startswith("model: 2 edits at a cost of 8\n")
    assert "left: RES001 web.go -> db: what would mend it was not taken" in done.stdout
    assert "+    deployment=Kubernetes(replicas=2)," in done.stdout
    assert "timeout=" not in re.sub(r"(?m)^ .*$", "", done.stdout)


def test_nothing_is_written_when_nobody_answers(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ONCE)
    done = archcheck("fix", "model.py", "--interactive", "--write", cwd=tmp_path)
    assert done.returncode == 130
    assert (tmp_path / "model.py").read_text() == ONCE


@pytest.mark.parametrize(("method", "offered"), [("POST", False), ("GET", True)])
def test_a_fixed_answer_stands_in_for_a_page_and_for_no_payment(
    method: str, offered: bool, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text(
        "from archcheck import *\n"
        "from archcheck.units import ms\n"
        f"pay = Endpoint('pay', Http1('{method}', '/pay'))\n"
        "bank = External('bank', endpoints=[pay], latency=40 * ms)\n"
        "ask = Call('bank.pay', timeout=900 * ms)\n"
        "web = Service('web', endpoints=[Endpoint('buy', steps=[ask])])\n"
        "use = Journey('use', 'web.buy', critical=True)\n"
    )
    done = archcheck("fix", "model.py", "--only", "RES026", cwd=tmp_path)
    assert ("fallback: nothing becomes" in done.stdout) is offered
    assert ("left: RES026 web.buy -> bank.pay" in done.stdout) is not offered


def test_what_gets_slower_or_dearer_stands_beside_what_is_mended(tmp_path: Path) -> None:
    """A second replica costs its CPUs; half the load on each makes answers faster."""
    (tmp_path / "model.py").write_text(BUSY)
    done = archcheck("fix", "model.py", cwd=tmp_path)
    assert "web: deployment: replicas: 1 becomes 2" in done.stdout
    assert "under load, before and after" in done.stdout
    assert re.search(r"day +use +[\d.]+ m?s +[\d.]+ ms\* +0.00% +0.00%", done.stdout)
    assert "it runs at 2 CPU/h today, at 4 afterwards" in done.stdout


def test_a_model_without_findings_is_left_alone() -> None:
    done = archcheck("fix", "models/shop", "--isolated")
    assert done.returncode == 0
    assert done.stdout.startswith("shop: nothing is found that fix could mend\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--allow", "luck=1"], "there is no kind of edit 'luck'; there are timeout,"),
        (["--allow", "timeout=much"], "--allow takes KIND=COST, such as timeout=1"),
        (["--allow", ","], "no edit is allowed; allow some of timeout"),
        (["--simulate", "nothing"], "has no scenario 'nothing'"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], sentence: str) -> None:
    done = archcheck("fix", "examples/checkout.py", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_repair_is_found_again_in_the_same_process(tmp_path: Path) -> None:
    """Several repairs cost the same: which one is found must not hang on what z3 did before."""
    text = CONSTANTS.replace("LEAVES", LEAVES).replace("timeout=1 * s", "timeout=200 * ms")
    (tmp_path / "model.py").write_text(text)
    fix = ("fix", "model.py", "--select", INVERSIONS)
    first, second = (archcheck(*fix, cwd=tmp_path).stdout for _ in range(2))
    assert first == second


def test_an_interrupt_just_after_writing_says_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.py"
    file.write_text("new")

    class Interrupted(Patch):
        def write(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_patch(Interrupted({str(file): ("old", "new")}))
    assert "model.py" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        write_patch(Interrupted({str(file): ("old", "newer")}))
    assert not capsys.readouterr().err
