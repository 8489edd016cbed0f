"""Downloads from a server that misbehaves: whatever happens, the file is whole or not there."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from impasto.errors import WeightsError
from impasto.files.weights import download as module
from impasto.files.weights.download import Patience, download, verified
from impasto.files.weights.registry import Model
from impasto.nets.vgg import KERAS_CONVENTION

CONTENT = random.Random(0).randbytes(300_000)
QUICK = Patience(timeout=0.4, pause=0.001)


def _model(*urls: str, content: bytes = CONTENT, digest: str = "") -> Model:
    return Model(
        name="vgg19",
        urls=urls,
        algorithm="sha256",
        digest=digest or hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        licence="none",
        convention=KERAS_CONVENTION,
        format="h5",
        about="",
    )


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "vgg19.h5.part"


@pytest.fixture
def server(serve):
    return serve(CONTENT)


def _get(part: Path, *urls: str, **options) -> None:
    download(_model(*urls), part, patience=QUICK, **options)
    assert part.read_bytes() == CONTENT


def _refused(part: Path, words: str, *urls: str) -> str:
    with pytest.raises(WeightsError, match=words) as caught:
        download(_model(*urls), part, patience=QUICK)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("manner", ["good", "moved", "slow", "503-once"])
def test_a_whole_file(manner, server, part):
    seen: list[int] = []
    _get(part, server.url(manner), report=lambda done, what: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_cut_connection_is_resumed_where_it_was_cut(server, part):
    _get(part, server.url("cut"))
    ranges = server.ranges("cut")
    assert ranges[:3] == [None, "bytes=150000-", "bytes=225000-"]


def test_what_is_there_is_not_asked_for_again(server, part):
    part.write_bytes(CONTENT[:123_456])
    _get(part, server.url("good"))
    assert server.ranges("good") == ["bytes=123456-"]
    part.write_bytes(CONTENT)
    _get(part, server.url("good"))
    assert len(server.asked) == 1  # complete and right: nobody is asked at all


def test_a_server_that_ignores_ranges(server, part):
    part.write_bytes(b"x" * 123_456)
    _get(part, server.url("whole"))
    assert server.ranges("whole") == ["bytes=123456-"]


def test_a_server_that_ignores_ranges_and_cuts_gives_way_to_the_next(server, part):
    _get(part, server.url("whole-cut"), server.url("good"))
    assert len(server.ranges("whole-cut")) == 4  # got somewhere once, then three times in vain
    assert server.ranges("good") == ["bytes=150000-"]


def test_a_wrong_beginning_is_thrown_away_once_and_got_anew(server, part):
    part.write_bytes(b"x" * 100_000)
    _get(part, server.url("good"))
    assert server.ranges("good") == ["bytes=100000-", None]
    part.write_bytes(CONTENT + b"more than there should be")
    _get(part, server.url("good"))


def test_a_wrong_byte_is_found_and_the_next_mirror_tried(server, part):
    _get(part, server.url("wrong"), server.url("good"))
    assert server.ranges("good") == [None]  # nothing of the wrong file was kept


def test_a_wrong_byte_everywhere_leaves_nothing(server, part):
    _refused(part, r"127\.0\.0\.1: it sent another file \(wrong hash\)", server.url("wrong"))
    assert not part.exists()


@pytest.mark.parametrize(("manner", "reason"), [
    ("403", "403 Forbidden"),
    ("404", "404 Not Found"),
    ("500", "500 Internal Server Error"),
    ("429", "429 Too Many Requests"),
    ("page", r"it sent another file \(25 bytes\)"),
    ("long", r"it sent another file \(too long\)"),
    ("silent", "it stopped responding"),
])  # fmt: skip
def test_a_refusal_gives_way_to_the_next_mirror(manner, reason, server, part):
    text = _refused(part, reason, server.url(manner))
    assert "run the command again" in text
    assert "impasto models import FILE" in text
    part.unlink(missing_ok=True)
    _get(part, server.url(manner), server.url("good"))


def test_a_refusal_is_final_and_a_server_s_error_may_pass(server, part):
    _refused(part, "404.*500", server.url("404"), server.url("500"))
    assert len(server.ranges("404")) == 1
    assert len(server.ranges("500")) == 3


@pytest.mark.alone
def test_a_stalling_server_is_left_after_the_timeout(server, part):
    """It gives half of what is left each time: the timeout is all that ends its silence."""
    start = time.monotonic()
    _get(part, server.url("silent"), server.url("good"))
    assert time.monotonic() - start < 8
    part.unlink()
    download(_model(server.url("stall")), part, patience=Patience(0.1, 0.001))
    assert part.read_bytes() == CONTENT
    assert len(server.ranges("stall")) > 2


def test_a_range_that_was_not_asked_for_is_never_appended(server, part):
    _get(part, server.url("shifted"), server.url("good"))
    assert server.ranges("good") == ["bytes=150000-"]


def test_a_range_that_cannot_be_satisfied_starts_anew(server, part):
    part.write_bytes(CONTENT[:1000])
    _get(part, server.url("416"), server.url("good"))
    assert server.ranges("416")[:2] == ["bytes=1000-", None]


def test_nobody_there(part):
    _refused(part, r"127\.0\.0\.1: connection refused", "http://127.0.0.1:9/good")


def test_a_proxy_is_asked_in_place_of_the_host(server, part, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url(""))
    _get(part, "http://weights.example/good")
    assert server.asked == [("http://weights.example/good", None)]
    part.unlink()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    _get(part, server.url("good"))
    assert server.asked[-1] == ("/good", None)


def test_a_full_disk_is_said_before_anything_is_asked(server, part, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 1000}))
    _refused(part, "free disk.*IMPASTO_MODELS", server.url("good"))
    assert not server.asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up(server, tmp_path):
    (tmp_path / "part").symlink_to("/dev/full")
    model = _model(server.url("good"))
    with pytest.raises(WeightsError, match=r"cannot be written \("):
        download(model, tmp_path / "part", patience=QUICK)


def test_the_hash_may_be_the_beginning_that_is_published(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert verified(_model(digest=digest[:8]), path)
    assert not verified(_model(digest="0" * 8), path)
    path.write_bytes(CONTENT[:-1])
    assert not verified(_model(digest=digest[:8]), path)


CHILD = """
import sys
from pathlib import Path
from impasto.files.weights.download import Patience, download
from impasto.files.weights.registry import Model
from impasto.nets.vgg import KERAS_CONVENTION
url, digest, size, part = sys.argv[1:]
model = Model("vgg19", (url,), "sha256", digest, int(size), "none", KERAS_CONVENTION, "h5", "")
print("ready", flush=True)
download(model, Path(part), patience=Patience(2, 0.01))
print("done", flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_point_it_goes_on(server, part):
    """Killed again and again while bytes come in; what was written is never asked for twice."""
    words = [server.url("slow"), hashlib.sha256(CONTENT).hexdigest(), str(len(CONTENT)), str(part)]
    random_ = random.Random(1)
    sizes = [0]
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, *words], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(random_.uniform(0.03, 0.12))
            child.send_signal(signal.SIGKILL)
        if part.exists():
            size = part.stat().st_size
            assert size >= sizes[-1]
            assert part.read_bytes() == CONTENT[:size]
            sizes.append(size)
    assert len(set(sizes)) > 1
    subprocess.run([sys.executable, "-c", CHILD, *words], check=True, capture_output=True)
    assert part.read_bytes() == CONTENT
    begun = [int(range_[6:-1]) for range_ in server.ranges("slow") if range_]
    assert begun == sorted(begun)
    assert begun


@pytest.mark.alone
def test_a_server_that_trickles_for_ever_is_left(server, part):
    start = time.monotonic()
    said = _refused(part, "too slowly", server.url("trickle"))
    assert "check the connection" in said
    assert time.monotonic() - start < 60
    assert part.stat().st_size < len(CONTENT) / 10
    _get(part, server.url("trickle"), server.url("good"))  # and what came is used
