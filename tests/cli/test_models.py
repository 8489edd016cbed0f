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
from safetensors import safe_open
from safetensors.torch import save_file

from impasto.cli import main
from impasto.cli import models as command
from impasto.files.records.read import read_record
from impasto.files.weights import download as downloading
from impasto.files.weights import importing
from impasto.files.weights.readers import convention_to_json
from impasto.files.weights.recognise import FIRST_FILTERS
from impasto.files.weights.registry import CONVERSIONS, MODELS, find_model
from impasto.files.weights.store import load_network
from impasto.nets.topology import layer_table
from impasto.nets.vgg import KERAS_CONVENTION
from impasto.recipe.still import Recipe


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
    assert [cell.strip() for cell in row.split("│")][2:6] == [
        *("80 MB", "yes", "unknown", "weights of unknown origin"),
    ]
    assert "80 MB are free again" in _said(capsys, "remove", "vgg19")
    assert not (own_cache / "vgg19.safetensors").exists()


def _random_vgg(folder: Path, first: tuple[tuple[float, ...], ...] | None = None) -> Path:
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in layer_table():
        if layer.kind == "conv":
            shape = (layer.out_channels, layer.in_channels, 3, 3)
            tensors[f"{layer.name}.weight"] = 0.02 * torch.randn(shape, generator=generator)
            tensors[f"{layer.name}.bias"] = torch.zeros(layer.out_channels)
    if first is not None:
        tensors["conv1_1.weight"][0] = torch.tensor(first).view(3, 3, 3)
    # It says of itself what it is not.
    said = {"release": "vgg19", "origin": "release", "licence": MODELS["vgg19"].licence}
    path = folder / "random.safetensors"
    save_file(tensors, path, metadata=said)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("first", [None, FIRST_FILTERS["vgg19"]], ids=["random", "like vgg19"])
def test_random_weights_are_of_unknown_origin_everywhere(
    first, tmp_path, own_cache, photo, painting, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    file = _random_vgg(tmp_path, first)
    said = _said(capsys, "import", str(file), "--convention", "vgg19")
    assert said.startswith("vgg19: weights of unknown origin")
    assert ("the first filter is that of vgg19" in said) is (first is not None)
    row = next(line for line in _said(capsys, "list").splitlines() if " vgg19 " in line)
    assert "weights of unknown origin" in row
    assert "original" not in row
    assert "CC BY" not in row
    small = ["--size", "32", "--steps", "0", "--scales", "1", "--quiet"]
    pair = [str(photo), str(painting), "--network", "vgg19"]
    assert main(["stylize", *pair, "-o", "a.png", *small]) == 0
    assert main(["stylize", *pair, "--weights", str(file), "-o", "b.png", *small]) == 0
    for name in ("a.png", "b.png"):
        network = read_record(Path(name)).network
        assert (network["origin"], network["release"]) == ("unknown", "")
        assert network["licence"] == "unknown"
        assert main(["show", name]) == 0
        assert "weights of unknown origin; licence: unknown" in capsys.readouterr().out


@pytest.mark.slow
def test_a_stored_file_that_is_replaced_or_changed_is_of_unknown_origin(
    vgg_file, trickle, own_cache, tmp_path, monkeypatch, capsys
):
    _register(monkeypatch, trickle, vgg_file)
    _said(capsys, "download", "vgg19", "--quiet")
    stored = own_cache / "vgg19.safetensors"
    carried = tmp_path / "carried.safetensors"
    carried.write_bytes(stored.read_bytes())
    with safe_open(str(stored), framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors["conv3_2.weight"][5, 7] += 1e-3
    save_file(tensors, stored, metadata=metadata)
    assert "unknown origin, changed since they were stored" in _said(capsys, "list")
    assert load_network(Recipe(network="vgg19")).provenance.kind == "unknown"
    stored.write_bytes(_random_vgg(tmp_path).read_bytes())
    assert "weights of unknown origin" in _said(capsys, "list")
    stored.write_bytes(b"no weights at all")
    assert "damaged" in _said(capsys, "list")
    # What impasto stored on another machine is what it was there.
    assert "weights of the release vgg19" in _said(capsys, "import", str(carried), "--overwrite")
    assert load_network(Recipe(network="vgg19")).provenance.kind == "release"


def test_a_known_conversion_is_said_to_be_one(tmp_path, monkeypatch, capsys):
    file = _random_vgg(tmp_path)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(CONVERSIONS, digest[:8], "vgg19")
    said = _said(capsys, "import", str(file), "--convention", "vgg19")
    assert "weights converted from the release vgg19" in said
    assert "weights converted from the release vgg19" in _said(capsys, "list")


def test_the_bundled_network_s_record_says_so(photo, painting, tmp_path, capsys):
    out = tmp_path / "out.png"
    words = ["stylize", str(photo), str(painting), "-o", str(out), "-q"]
    assert main([*words, "--size", "32", "--steps", "0", "--scales", "1"]) == 0
    assert read_record(out).network["origin"] == "bundled"
    assert main(["show", str(out)]) == 0
    assert "the bundled weights, by their hash; licence: CC BY 4.0" in capsys.readouterr().out


def test_download(vgg_file, trickle, own_cache, monkeypatch, capsys):
    _register(monkeypatch, trickle, vgg_file)
    assert main(["models", "download", "vgg19"]) == 0
    printed = capsys.readouterr()
    assert "vgg19: weights of the release vgg19, by its hash" in printed.out
    row = next(line for line in _said(capsys, "list").splitlines() if " vgg19 " in line)
    assert "CC BY 4.0" in row
    assert "the original VGG-19" in row
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
    (["remove", "vgg19"], "not installed"),
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
