"""The studio's server: on this machine alone unless a password is set, and it calls nobody."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import OutputError, RecipeError

if TYPE_CHECKING:
    from impasto.studio.desk import Desks

HERE = ("127.0.0.1", "localhost", "::1")
LARGEST_UPLOAD = 200_000_000  # bytes of a file: a film may be dropped
USER = "impasto"
# The page may load and ask nothing but what comes from the studio itself.
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'self'"
)
_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def serve(
    folder: Path,
    *,
    host: str = HERE[0],
    port: int = 7860,
    side: int = 512,
    password: str | None = None,
    opens: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the studio until it is stopped.

    Args:
        folder: where albums are kept.
        host: the address to listen at.
        port: 0 for any that is free.
        side: pixels of a picture's longer side while it is steered.
        password: asked for in the browser, with the user name ``impasto``.
        opens: open a browser.
        tell: is told the address.

    Raises:
        RecipeError: the host is not this machine alone, and there is no password.
        OutputError: the port is taken, or the folder cannot be written to.

    """
    if host not in HERE and not password:
        raise RecipeError(
            f"--host {host} lets others in, so a password is needed: set IMPASTO_STUDIO_PASSWORD."
        )
    import uvicorn

    listening = _listening(host, port)
    url = f"http://{_shown(host)}:{listening.getsockname()[1]}"
    folder = _prepared(folder)
    desks = _desks(folder, side)
    app = make_app(folder, desks, host=host, password=password)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    tell(f"The studio is at {url}; Ctrl-C ends it.")
    if opens:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    try:
        with listening:
            server.run(sockets=[listening])
    finally:
        desks.close()


def make_app(
    folder: Path, desks: Desks, *, host: str = HERE[0], password: str | None = None
) -> Any:
    """The studio as an ASGI application.

    Args:
        folder: for what the server itself keeps.
        desks: every browser's.
        host: the address that it is reached at.
        password: asked for in the browser.

    """
    os.environ.update(_QUIET)  # before Gradio is imported
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "cache")
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from impasto.studio.page import STYLE, make_page, theme

    app = FastAPI(openapi_url=None)
    if host in HERE:  # a page elsewhere cannot have its own name point here
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*HERE, "[::1]"])
    app.add_middleware(_Closed)
    gr.mount_gradio_app(
        app,
        make_page(desks, _secret(folder)),
        "/",
        server_name=host,
        auth=(USER, password) if password else None,
        max_file_size=LARGEST_UPLOAD,
        allowed_paths=[str(folder / "albums")],
        footer_links=[],
        ssr_mode=False,
        enable_monitoring=False,
        theme=theme(),
        css=STYLE,
    )
    return app


class _Closed:
    """Tells the browser to ask nobody else, and to keep nothing that others could read."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", _POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self._app(scope, receive, sent)


def _desks(folder: Path, side: int) -> Desks:
    from impasto.studio.desk import Desks

    return Desks(folder / "albums", side)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise OutputError(
            f"The studio cannot listen at {host}:{port} ({error.strerror}): choose another --port."
        ) from error
    return listening


def _shown(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)


def _prepared(folder: Path) -> Path:
    try:
        for each in (folder, folder / "albums", folder / "cache"):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(f"{str(folder)!r} cannot be made: choose another --folder.") from error
    return folder.resolve()


def _secret(folder: Path) -> str:
    """What the browsers' own secrets are encrypted with: the same after the next start."""
    path = folder / "secret"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii")
