"""Starts the server: on this machine only, on a free port, with a secret in its address."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType

from quizprep.content.library import Library
from quizprep.errors import MissingExtraError

NEEDED = ("markdown_it", "python_multipart", "starlette", "uvicorn")
"""Packages of the extra ``web``."""


def serve(library: Library, open_browser: bool, say: Callable[[str], None]) -> None:
    """Serve until it is interrupted; raises MissingExtraError."""
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("quizprep web", "web")
    import uvicorn

    from quizprep.web.app import application
    from quizprep.web.guard import Guard

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # so that a browser that is opened at once only waits
        host = f"127.0.0.1:{listening.getsockname()[1]}"

        def started() -> None:
            address = f"http://{host}/?key={guard.secret}"
            say(f"quizprep is at {address}")
            say("Only this machine reaches it, and only with that address. Ctrl-C ends it.")
            if open_browser:
                webbrowser.open(address)

        class Server(uvicorn.Server):
            """Ends streams first, which pages would listen to for ever."""

            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                app.state.hush()
                super().handle_exit(sig, frame)

        app = application(library, started)
        guard = Guard(app, host)
        config = uvicorn.Config(
            guard, log_level="warning", lifespan="on", server_header=False, date_header=False,
        )  # fmt: skip
        Server(config).run(sockets=[listening])
