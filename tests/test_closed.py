"""Closed by default: no network, nothing unpickled or evaluated, no path taken from a record."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

WITHOUT_SOCKETS = """
import sys

def audit(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.client", "ftplib.", "smtplib.")):
        raise SystemExit(f"NETWORK: {event} {arguments}")

sys.addaudithook(audit)
from impasto.cli import main
status = 0
for words in WORDS:
    status = max(status, main(words))
sys.exit(status)
"""


def _trees():
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _modules(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
    return found


def test_nothing_is_unpickled_or_evaluated():
    unsafe = {"pickle", "_pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle"}
    for path, tree in _trees():
        assert not {name.partition(".")[0] for name in _modules(tree)} & unsafe, path
        for call in _calls(tree):
            words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            name = ast.unparse(call.func)
            assert name not in ("eval", "exec", "compile", "__import__", "os.system"), path
            if name in ("torch.load", "load") and "torch" in _modules(tree):
                assert words.get("weights_only") == "True", path
            if name.endswith(("np.load", "numpy.load")):
                assert words.get("allow_pickle", "False") == "False", path


def test_no_process_is_started():
    for path, tree in _trees():
        assert not {"subprocess", "multiprocessing", "pty"} & _modules(tree), path


def test_the_network_is_touched_in_one_file_and_listened_to_in_another():
    network = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "httpx"}
    harmless = {"urllib.parse"}
    found = {
        str(path)
        for path, tree in _trees()
        if {name.partition(".")[0] for name in _modules(tree) - harmless} & network
    }
    assert found == {"src/impasto/files/weights/download.py", "src/impasto/studio/server.py"}


def test_a_record_names_no_file_that_is_written():
    """Names in a record are checked where it is read, and looked up by `find_by_name` alone."""
    tree = ast.parse((ROOT / "src/impasto/jobs/reproduce.py").read_text(encoding="utf-8"))
    writers = {"write_text", "write_bytes", "save", "mkdir", "unlink", "replace", "touch"}
    called = [
        call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        for call in _calls(tree)
    ]
    assert {name for name in called if name in writers} <= {"replace"}  # dataclasses.replace
    assert "from dataclasses import dataclass, replace" in ast.unparse(tree)


@pytest.mark.skipif(os.name != "posix", reason="a file URL in the test's commands")
def test_every_command_but_the_download_does_without_the_network(photo, painting, tmp_path):
    quick = ["--size", "32", "--steps", "1", "--scales", "1", "--threads", "1", "--quiet"]
    out = str(tmp_path / "out.png")
    photos = str(photo.parent)
    commands = [
        ["stylize", str(photo), str(painting), "-o", out, *quick],
        ["stylize", photos, "--style", str(painting), "-o", str(tmp_path / "many"), *quick],
        ["texture", str(painting), "--size", "32", "-o", str(tmp_path / "t.png"), *quick[2:]],
        ["reproduce", out, "--quiet", "--content", str(photo), "--style", str(painting)],
        ["show", out, "--plot", str(tmp_path / "curve.svg")],
        ["summary"],
        ["models"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SOCKETS.replace("WORDS", repr(commands))],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "IMPASTO_MODELS": str(tmp_path / "models")},
        timeout=300,
    )
    assert "NETWORK" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert {"out.png", "t.png", "curve.svg", "out.again.png"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_the_whole_suite_runs_without_the_network():
    """The watch of tests/conftest.py: every other test runs under it."""
    with pytest.raises(RuntimeError, match="network"), socket.socket() as probe:
        probe.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="network"):
        socket.getaddrinfo("example.org", 80)


@pytest.mark.slow
def test_a_download_is_stopped_by_the_same_watch(tmp_path):
    """So that the test above could fail."""
    code = WITHOUT_SOCKETS.replace("WORDS", repr([["models", "download", "vgg19", "--quiet"]]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "IMPASTO_MODELS": str(tmp_path / "models")},
        timeout=300,
    )
    assert done.returncode != 0
    assert "NETWORK" in done.stderr
