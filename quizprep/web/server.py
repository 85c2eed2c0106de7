"""Starts the server: on this machine only, on a free port, with a secret in its address."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable

from quizprep.content.library import Library
from quizprep.errors import MissingExtraError


def serve(library: Library, open_browser: bool, say: Callable[[str], None]) -> None:
    """Serve until it is interrupted; raises MissingExtraError."""
    try:
        import markdown_it  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn

        from quizprep.web.app import application
        from quizprep.web.guard import Guard
    except ImportError as error:
        raise MissingExtraError("quizprep web", "web") from error
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

        guard = Guard(application(library, started), host)
        config = uvicorn.Config(
            guard, log_level="warning", lifespan="on", server_header=False, date_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])
