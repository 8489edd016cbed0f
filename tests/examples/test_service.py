"""The web service on the loopback: many clients at once, progress, cancelling, and bad uploads."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")

QUICK = {"size": "32", "quality": "instant"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from examples import service

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(service.app, port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def _submit(address: str, photo: Path, painting: Path, **options: str):
    files = {"photo": photo.read_bytes(), "painting": painting.read_bytes()}
    return httpx.post(f"{address}/jobs", files=files, data=options, timeout=60)


def _finished(address: str, name: str) -> dict:
    for _ in range(1200):
        told = httpx.get(f"{address}/jobs/{name}", timeout=60).json()
        if told["state"] not in ("queued", "running"):
            return told
        time.sleep(0.05)
    raise AssertionError("it never ends")


@pytest.mark.slow
def test_many_clients_at_once_and_none_loses_anything(address, photo, painting):
    def one(number: int) -> tuple[int, bytes]:
        sent = _submit(address, photo, painting, seed=str(number), **QUICK)
        assert sent.status_code == 202
        told = _finished(address, sent.json()["id"])
        assert told["state"] == "done", told
        return number, httpx.get(f"{address}{sent.headers['location']}/picture").content

    with ThreadPoolExecutor(12) as pool:
        for number, data in pool.map(one, range(24)):
            record = json.loads(Image.open(io.BytesIO(data)).info["impasto"])
            assert record["recipe"]["seed"] == number


def test_progress_is_streamed_and_a_job_is_cancelled(address, photo, painting):
    sent = _submit(address, photo, painting, size="128", quality="best")
    where = f"{address}{sent.headers['location']}"
    told = []
    with httpx.stream("GET", f"{where}/events", timeout=60) as stream:
        for line in filter(None, stream.iter_lines()):
            told.append(json.loads(line.removeprefix("data: ")))
            if told[-1]["progress"] > 0:
                assert httpx.delete(where).status_code == 202
    assert [each["progress"] for each in told] == sorted(each["progress"] for each in told)
    assert told[-1]["state"] == "cancelled"
    assert told[-1]["progress"] < 1
    so_far = httpx.get(f"{where}/picture")
    assert Image.open(io.BytesIO(so_far.content)).size[0] >= 100


def test_one_that_waits_is_cancelled_before_it_begins(address, photo, painting):
    first, second = (_submit(address, photo, painting, size="128", quality="best") for _ in "12")
    for sent in (second, first):
        httpx.delete(f"{address}{sent.headers['location']}")
    assert _finished(address, second.json()["id"])["state"] == "cancelled"
    assert httpx.get(f"{address}{second.headers['location']}/picture").status_code == 409


def test_bad_requests_are_one_sentence(address, photo, painting, monkeypatch, tmp_path):
    from examples import service

    (tmp_path / "text.jpg").write_text("no picture")
    told = _finished(address, _submit(address, tmp_path / "text.jpg", painting).json()["id"])
    assert told["state"] == "failed"
    assert len(told["error"].splitlines()) == 1
    refused = _submit(address, photo, painting, strength="7")
    assert refused.status_code == 400
    assert refused.json()["error"] == "strength=… must lie between 0 and 1."
    assert _submit(address, photo, painting, size="many").status_code == 400
    assert httpx.post(f"{address}/jobs", data={"size": "32"}).status_code == 400
    assert httpx.get(f"{address}/jobs/none").status_code == 404
    monkeypatch.setattr(service, "LARGEST_UPLOAD", 10)
    assert _submit(address, photo, painting).status_code == 413
    monkeypatch.setattr(service, "LONGEST_QUEUE", 0)
    waiting = _submit(address, photo, painting)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "30")
    assert "<form" in httpx.get(address).text
