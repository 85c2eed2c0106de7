"""A real server on a free port, and a client that asks it for anything."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest


@dataclass
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Client:
    """Asks one server, with a cookie once it has one."""

    host: str
    secret: str
    home: Path
    cookie: str = ""

    @property
    def address(self) -> str:
        return f"http://{self.host}/?key={self.secret}"

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """One request, as a page of the server would make it; None leaves a header out."""
        body = urlencode(form) if isinstance(form, Mapping) else form
        sent: dict[str, str | None] = {"Host": self.host, "Sec-Fetch-Site": "same-origin"}
        if isinstance(form, Mapping):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if self.cookie:
            sent["Cookie"] = self.cookie
        sent |= headers or {}
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None and "Content-Length" not in sent:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if isinstance(body, str) else body)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)

    def enter(self) -> None:
        """Trade the secret for the cookie."""
        self.cookie = self.ask("GET", f"/?key={self.secret}").headers["set-cookie"].split(";")[0]

    def follow(self, path: str, form: Mapping[str, str]) -> tuple[str, Answer]:
        """Send a form, and open the page that it leads to."""
        led = self.ask("POST", path, form)
        assert led.status == 303, led.text
        return led.headers["location"], self.ask("GET", led.headers["location"].split("#")[0])


COMMAND = ("-m", "quizprep", "web", "--no-open")


def start(home: Path, program: tuple[str, ...] = COMMAND) -> tuple[subprocess.Popen[str], Client]:
    """A server whose store is in ``home``; ``program`` is what Python runs."""
    process = subprocess.Popen(
        [sys.executable, *program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QUIZPREP_HOME": str(home)},
    )
    assert process.stdout is not None
    found = re.search(r"http://(\S+)/\?key=(\S+)", process.stdout.readline())
    assert found is not None
    return process, Client(found[1], found[2], home)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that the tests of a module share, and its user."""
    process, client = start(tmp_path_factory.mktemp("home"))
    client.enter()
    yield client
    process.terminate()
    process.wait(timeout=20)
