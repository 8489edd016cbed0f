"""Whether the kernels are there, and how they are compiled."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from impasto import native

ROOT = Path(__file__).resolve().parents[2]


def _available(code: str = "", **environment: str) -> str:
    asked = f"{code}\nfrom impasto import native\nprint(native.are_available())"
    found = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", **environment},
    )
    return found.stdout.strip()


def test_they_can_be_turned_off():
    assert _available(IMPASTO_KERNELS="0") == "False"


def test_a_library_that_cannot_be_loaded_is_none(tmp_path):
    broken = tmp_path / "kernels.so"
    broken.write_bytes(b"no library")
    code = f"import pathlib, impasto.native.library as l; l._FILE = pathlib.Path({str(broken)!r})"
    assert _available(code) == "False"


def test_a_library_of_other_sources_is_none(tmp_path):
    """A checkout that went on without being installed again: its calls may be others."""
    library = ROOT / "src" / "impasto" / "native" / "kernels.so"
    if not (library.exists() and native.are_available()):
        pytest.skip("no kernels on this machine")
    (tmp_path / "kernels.so").write_bytes(library.read_bytes())
    (tmp_path / "convolution.c").write_text("/* another one */")
    file = str(tmp_path / "kernels.so")
    code = f"import pathlib, impasto.native.library as l; l._FILE = pathlib.Path({file!r})"
    assert _available(code) == "False"


def test_without_them_torch_does_the_same(monkeypatch):
    monkeypatch.setattr("impasto.native.totals.library", lambda: None)
    monkeypatch.setattr("impasto.native.differences.library", lambda: None)
    features = torch.ones(1, 16, 4, 4, dtype=torch.bfloat16)
    features = features.contiguous(memory_format=torch.channels_last)
    assert not native.can_sum(features)
    assert not native.can_vary(torch.ones(1, 3, 4, 4))


@pytest.fixture
def build():
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def elsewhere(build, monkeypatch, tmp_path):
    """The compiler's output goes to a folder of its own."""
    for source in build.FOLDER.glob("*.[ch]"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "LIBRARY", tmp_path / "kernels.so")
    return tmp_path


def test_no_compiler_is_no_error(build, elsewhere, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no C compiler 'no-such-compiler'" in build.compile_kernels()
    assert not (elsewhere / "kernels.so").exists()


def test_a_compiler_that_fails_is_no_error_and_leaves_nothing(build, elsewhere, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("CC", "false")
    assert "could not compile" in build.compile_kernels()
    assert {path.suffix for path in elsewhere.iterdir()} == {".c", ".h"}


def test_other_machines_have_none(build, elsewhere, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert "x86-64" in build.compile_kernels()


def test_a_folder_that_cannot_be_written_to_is_no_error(build, elsewhere, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("CC", "true")
    monkeypatch.setattr(build, "FOLDER", elsewhere / "nowhere")
    assert "cannot be written to" in build.compile_kernels()
