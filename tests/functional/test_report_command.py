"""``archcheck report`` as it is typed, and the server that follows a model."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from functional.test_diagram_command import MODEL, archcheck
from functional.test_fix_command import BUSY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def test_the_report_has_every_part(folder: Path) -> None:
    done = archcheck(folder, "report", "model.py", "--set", "db.copies=2,3", "-o", "out.html")
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(r"wrote out.html \([\d.]+ MB\): \d+ errors?, \d+ warnings?\n", done.stderr)
    page = (folder / "out.html").read_text()
    for part in (
        "overview", "diagram", "boundaries", "failures", "load", "data", "delivery",
        "simulation", "capacity", "what-if", "assumptions", "rules",
    ):  # fmt: skip
        assert f'<section id="{part}"' in page
    for part in ("failures-findings", "failures-proofs", "elements", "losses", "stores"):
        assert f'<details class="part" id="{part}">' in page
    assert "model.py:9" in page
    assert "db.copies=3" in page


def test_parts_can_be_left_out(folder: Path) -> None:
    out = ("--without", "plan", "--without", "proofs", "--without", "simulation")
    done = archcheck(folder, "report", "model.py", *out)
    assert "left out: plan; proofs; simulation" in done.stderr
    page = (folder / "small.html").read_text()
    assert '<details class="part" id="failures-findings">' in page
    assert "-proofs" not in page
    for part in ("simulation", "capacity", "what-if"):
        assert f'<section id="{part}">' not in page


def test_what_would_mend_it_stands_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(BUSY)
    out = ("--without", "plan", "--without", "proofs", "--without", "simulation")
    archcheck(tmp_path, "report", "model.py", *out, "--repair", "-o", "out.html")
    page = (tmp_path / "out.html").read_text()
    (section,) = re.findall(r'<section id="repair".*<section id="boundaries"', page, re.DOTALL)
    assert "the least that is possible" in section
    assert "web: deployment: replicas: 1 becomes 2" in section
    assert "it runs at 2 CPU/h today, at 4 afterwards" in section
    assert "p95 today" in section
    assert "+    deployment=Kubernetes(replicas=2," in section
    archcheck(tmp_path, "report", "model.py", *out, "-o", "out.html")
    assert 'id="repair"' not in (tmp_path / "out.html").read_text()


def test_a_model_without_load_is_reported_too(folder: Path) -> None:
    text = re.sub(r"    scenarios=.*\n", "", MODEL)
    (folder / "model.py").write_text(text)
    done = archcheck(folder, "report", "model.py", "-o", "out.html")
    assert done.returncode == 1
    assert '<details class="part" id="failures-proofs">' in (folder / "out.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scenario", "usua"), "has no scenario 'usua'; did you mean 'usual'?"),
        (("--set", "bac.replicas=2"), "did you mean 'back'"),
        (("--select", "RES9"), "no rule is called 'RES9'"),
        (("-o", "none/x.html"), "there is no folder 'none' to write it to"),
        (("--without", "rules"), "'rules' is not one of 'proofs', 'simulation', 'plan'"),
    ],
)
def test_wrong_options_are_one_sentence(
    folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = archcheck(folder, "report", "model.py", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr


def asked(port: int, path: str, host: str = "localhost") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def waited(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within 30 s")


def test_the_served_report_follows_the_model(folder: Path) -> None:
    """A change gives a new report; a mistake is shown, and fixed by the next change."""
    command = ["report", "--serve", "--port", "0"]
    quick = ["--without", "plan", "--without", "proofs", "--without", "simulation"]
    quick += ["--", "model.py"]
    server = subprocess.Popen(
        [sys.executable, "-m", "archcheck", *command, *quick],
        cwd=folder, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr
        said = ""
        while "the report is at" not in said:
            said = server.stderr.readline()
        port = int(said.split("localhost:")[1].split("/")[0])
        assert asked(port, "/number") == (200, "1")
        assert "<iframe" in asked(port, "/")[1]
        assert "small" in asked(port, "/report")[1]
        assert asked(port, "/report", host="evil.example.org")[0] == 404
        assert asked(port, "/number", host="localhost") == (200, "1")  # as browsers say of port 80
        assert asked(port, "/../model.py")[0] == 404
        (folder / "model.py").write_text(MODEL.replace('"small"', '"renamed"'))
        waited(lambda: asked(port, "/number")[1] == "2")
        assert "renamed" in asked(port, "/report")[1]
        (folder / "model.py").write_text(MODEL.replace("back.get", "bak.get"))
        waited(lambda: asked(port, "/number")[1] == "3")
        assert "there is no" in asked(port, "/report")[1]
        (folder / "model.py").write_text(MODEL)
        waited(lambda: asked(port, "/number")[1] == "4")
        assert "<h1>small</h1>" in asked(port, "/report")[1]
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 128 + signal.SIGTERM
        if server.stderr:
            server.stderr.close()


def test_a_served_report_is_not_written_to_a_file(folder: Path) -> None:
    done = archcheck(folder, "report", "model.py", "--serve", "-o", "mine.html")
    assert done.returncode == 2
    assert "--serve shows the report and writes no file" in done.stderr


def test_a_port_in_use_is_one_sentence(folder: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        quick = ("--without", "plan", "--without", "proofs", "--without", "simulation")
        done = archcheck(folder, "report", "model.py", "--serve", "--port", port, *quick)
    assert done.returncode == 2
    assert f"cannot serve on port {port}: " in done.stderr
