"""A small web service: pictures are uploaded, wait in a queue, and are painted one after the other.

    pip install 'impasto[service]'
    uvicorn service:app                 # in this folder; then open http://127.0.0.1:8000

One network and one thread paint; further jobs wait, and beyond `LONGEST_QUEUE` they are turned away
with status 503. All is in memory: the last `KEPT` jobs, results included, and nothing after a
restart. It asks nobody for a password: put it behind something that does.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import impasto

LARGEST_UPLOAD = 20_000_000  # bytes of a picture's file
MOST_PIXELS = 40_000_000  # of a picture
LONGEST_QUEUE, KEPT = 50, 200  # jobs
SECONDS = 600.0  # that a job may take
OPTIONS = {"strength": float, "size": int, "seed": int, "quality": str}  # that a client may set
LIVE = ("queued", "running")
PAGE = """<!doctype html><title>impasto</title><form method=post action=/jobs
enctype=multipart/form-data><p>Photograph <input type=file name=photo required><p>Painting
<input type=file name=painting required><p><button>Paint</button></form>"""


@dataclass
class Job:
    """One picture, from its upload to its result."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))  # not to be guessed
    state: str = "queued"  # then running, and done, cancelled or failed
    progress: float = 0.0
    error: str = ""
    picture: bytes = b""
    cancel: threading.Event = field(default_factory=threading.Event)

    def as_dict(self) -> dict[str, Any]:
        """What a client is told."""
        told = {"id": self.id, "state": self.state, "progress": round(self.progress, 4)}
        return {**told, "error": self.error} if self.error else told


jobs: OrderedDict[str, Job] = OrderedDict()
painter = ThreadPoolExecutor(1)  # one at a time: a second would only slow down the first
stylizer = impasto.Stylizer(max_pixels=MOST_PIXELS)


def paint(job: Job, photo: bytes, painting: bytes, options: dict[str, Any]) -> None:
    """Make a job's picture; whatever happens is written into the job."""
    if job.cancel.is_set():
        job.state = "cancelled"
        return
    job.state = "running"

    def progress(state: Any) -> None:
        job.progress = state.progress

    try:
        result = stylizer(
            photo, painting, progress=progress, timeout=SECONDS, cancel=job.cancel, **options
        )
        file = io.BytesIO()
        result.save(file)
        job.picture = file.getvalue()
        job.state = "done" if result.finished else "cancelled"
    except impasto.ImpastoError as error:
        job.error, job.state = str(error), "failed"
    except Exception:
        logging.getLogger("impasto").exception("job %s", job.id)
        job.error, job.state = "Something went wrong here.", "failed"


async def submit(request: Request) -> Response:
    """``POST /jobs``: a form with ``photo``, ``painting`` and options."""
    if sum(job.state in LIVE for job in jobs.values()) >= LONGEST_QUEUE:
        raise HTTPException(503, "Too many pictures are waiting.", {"Retry-After": "30"})
    async with request.form(max_files=2, max_fields=len(OPTIONS)) as form:
        pictures = []
        for name in ("photo", "painting"):
            file = form.get(name)
            if not isinstance(file, UploadFile):
                raise HTTPException(400, f"A file is missing: {name}.")
            if (file.size or 0) > LARGEST_UPLOAD:
                raise HTTPException(413, f"{name} has over {LARGEST_UPLOAD:,} bytes.")
            pictures.append(await file.read())
        try:
            options = {name: kind(form[name]) for name, kind in OPTIONS.items() if name in form}
            impasto.Recipe(**options)  # what is out of range is said at once
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
    job = Job()
    jobs[job.id] = job
    finished = [each.id for each in jobs.values() if each.state not in LIVE]
    for old in finished[: max(0, len(jobs) - KEPT)]:
        del jobs[old]
    photo, painting = pictures
    painter.submit(paint, job, photo, painting, options)
    return JSONResponse(job.as_dict(), 202, {"Location": f"/jobs/{job.id}"})


def _job(request: Request) -> Job:
    if (job := jobs.get(request.path_params["id"])) is None:
        raise HTTPException(404, "There is no such job.")
    return job


async def status(request: Request) -> Response:
    """``GET /jobs/ID``: where a job stands."""
    return JSONResponse(_job(request).as_dict())


async def events(request: Request) -> Response:
    """``GET /jobs/ID/events``: the same whenever it has changed, as server-sent events."""
    job = _job(request)

    async def stream() -> AsyncIterator[str]:
        before = None
        while True:
            now = job.as_dict()
            if now != before:
                yield f"data: {json.dumps(now)}\n\n"
            if now["state"] not in LIVE:
                return
            before = now
            await asyncio.sleep(0.1)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def picture(request: Request) -> Response:
    """``GET /jobs/ID/picture``: the PNG; of a job that was cancelled, the picture so far."""
    job = _job(request)
    if not job.picture:
        raise HTTPException(409, f"There is no picture: the job is {job.state}.")
    return Response(job.picture, media_type="image/png")


async def cancel(request: Request) -> Response:
    """``DELETE /jobs/ID``: end a job with the step that it is at."""
    job = _job(request)
    job.cancel.set()
    return JSONResponse(job.as_dict(), 202)


async def page(_: Request) -> Response:
    """``GET /``: a form."""
    return HTMLResponse(PAGE)


async def refusal(_: Request, error: Exception) -> Response:
    """Errors as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


app = Starlette(
    routes=[
        Route("/", page),
        Route("/jobs", submit, methods=["POST"]),
        Route("/jobs/{id}", status),
        Route("/jobs/{id}", cancel, methods=["DELETE"]),
        Route("/jobs/{id}/events", events),
        Route("/jobs/{id}/picture", picture),
    ],
    exception_handlers={HTTPException: refusal},
)
