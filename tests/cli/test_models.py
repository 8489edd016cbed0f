"""impasto models, as a person types it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from impasto.cli import main
from impasto.cli import models as command
from impasto.files import download as downloading
from impasto.files import importing
from impasto.files.readers import convention_to_json
from impasto.files.registry import MODELS, find_model
from impasto.nets.topology import layer_table
from impasto.nets.vgg import KERAS_CONVENTION


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("IMPASTO_MODELS", str(folder))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(importing, "MADE", 1)
    monkeypatch.setattr(importing, "MADE_SIZE", 32)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VGG-19 of zeros that states its convention."""
    tensors = {}
    for layer in layer_table():
        if layer.kind == "conv":
            shape = (layer.out_channels, layer.in_channels, 3, 3)
            tensors[f"{layer.name}.weight"] = torch.zeros(shape)
            tensors[f"{layer.name}.bias"] = torch.zeros(layer.out_channels)
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(tensors, path, metadata={"input": convention_to_json(KERAS_CONVENTION)})
    return path


@pytest.fixture
def trickle(vgg_file) -> Iterator[str]:
    """The address of a server that gives the file in small pieces, from where it is asked to."""
    content = vgg_file.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            self.end_headers()
            try:
                for at in range(start, len(content), 1 << 20):
                    self.wfile.write(content[at : at + (1 << 20)])
                    time.sleep(self.server.pause)  # type: ignore[attr-defined]
            except (BrokenPipeError, ConnectionResetError):
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.pause = 0.0  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    Handler.server_version = "weights"
    yield f"http://127.0.0.1:{server.server_address[1]}/vgg.safetensors"
    server.shutdown()
    server.server_close()


def _register(monkeypatch, url: str, vgg_file: Path) -> None:
    content = vgg_file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    model = replace(
        find_model("vgg19"),
        urls=(url,),
        algorithm="sha256",
        digest=digest,
        bytes=len(content),
        format="pth",
    )
    monkeypatch.setitem(MODELS, "vgg19", model)


def _said(capsys, *words: str, status: int = 0) -> str:
    assert main(["models", *words]) == status
    printed = capsys.readouterr()
    if status == 2:
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err
    return printed.out


def test_import_list_use_remove(vgg_file, own_cache, capsys):
    assert "vgg19" in _said(capsys, "list")
    said = _said(capsys, "import", str(vgg_file))
    assert (
        "vgg19: weights of unknown origin; pictures in BGR, 0 to 255 (as the file states)" in said
    )
    assert "--network vgg19" in said
    row = next(line for line in _said(capsys, "list").splitlines() if " vgg19 " in line)
    assert [cell.strip() for cell in row.split("│")][2:4] == ["80 MB", "yes"]
    assert "80 MB are free again" in _said(capsys, "remove", "vgg19")
    assert not (own_cache / "vgg19.safetensors").exists()


def test_download(vgg_file, trickle, own_cache, monkeypatch, capsys):
    _register(monkeypatch, trickle, vgg_file)
    assert main(["models", "download", "vgg19"]) == 0
    printed = capsys.readouterr()
    assert "vgg19: weights of" in printed.out
    assert "  0%  from 127.0.0.1" in printed.err
    assert "\x1b" not in printed.err
    assert "is here already" in _said(capsys, "download", "vgg19")
    assert _said(capsys, "download", "vgg19", "--quiet") == ""
    assert {path.name for path in own_cache.iterdir()} == {"vgg19.safetensors", ".vgg19.lock"}


def test_ctrl_c_keeps_what_came(vgg_file, trickle, own_cache, monkeypatch, capsys):
    _register(monkeypatch, trickle, vgg_file)
    real, pieces = downloading._pour, []

    def interrupted(answer, file, model, done, report, *patience):
        def counted(done: int, what: str) -> None:
            pieces.append(done)
            if done > 5_000_000:
                raise KeyboardInterrupt
            report(done, what)

        return real(answer, file, model, done, counted, *patience)

    monkeypatch.setattr(downloading, "_pour", interrupted)
    assert main(["models", "download", "vgg19", "--quiet"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    part = own_cache / "vgg19.pth.part"
    assert part.stat().st_size == pieces[-1]
    row = next(line for line in _said(capsys, "list").splitlines() if " vgg19 " in line)
    assert [cell.strip() for cell in row.split("│")][3] == "6%"
    monkeypatch.setattr(downloading, "_pour", real)
    assert _said(capsys, "download", "vgg19", "--quiet") == ""
    assert not part.exists()


def test_the_bar_of_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with command._bar(quiet=False) as report:
        report(0, 80_134_624, "from somewhere")
        report(40_000_000, 80_134_624, "")
        report(1, 24, "measuring")
    shown = capsys.readouterr().err
    assert "measuring" in shown
    assert "1 of 24" in shown
    assert command._amount(40_000_000, 80_134_624) == "40 of 80 MB"


@pytest.mark.parametrize(("words", "sentence"), [
    (["download", "vgg16"], "no model 'vgg16'"),
    (["remove", "vgg19"], "not here"),
    (["remove", "../secret"], "no model '../secret'"),
    (["import", "nowhere.h5"], "no weights file 'nowhere.h5'"),
    (["import", "nowhere.h5", "--pictures", "nowhere"], "no folder 'nowhere'"),
    (["import", "nowhere.h5", "--name", "mine"], "no model 'mine'"),
])  # fmt: skip
def test_mistakes(words, sentence, own_cache, capsys):
    assert sentence in _said(capsys, *words, status=2)
    assert not own_cache.exists()


def test_network_without_its_file_is_one_sentence(photo, painting, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["stylize", str(photo), str(painting), "--network", "vgg19"]) == 2
    assert "run impasto models download vgg19" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs pipes with names")
def test_help_imports_no_torch_and_a_pipe_is_not_waited_for(tmp_path):
    code = "import sys; from impasto.cli import main; main(['models', '--help']); "
    code += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    fifo = tmp_path / "slow.pth"
    os.mkfifo(fifo)
    words = [sys.executable, "-m", "impasto", "models", "import", str(fifo)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as child:
        try:
            _, said = child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            raise
    assert child.returncode == 2
    assert "no weights file" in said
