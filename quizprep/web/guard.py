"""Who may ask the server for anything: the browser that was opened with its secret.

It listens on this machine only, but other programs and pages of other sites reach it there as well.
So the address that is printed holds a secret, which is traded for a cookie at once. Every request
must name this machine as its host, and one that changes something must come from a page of this
server.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2 << 20
"""Bytes of a request: a submission may have half of that."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NO_KEY = (
    "This page belongs to whoever started `quizprep web`. Open the address that it printed, with "
    "the secret at its end."
)


class Guard:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """``host`` is the address of the server with its port, as a browser names it."""
        self._app = app
        self._hosts = {host, host.replace("127.0.0.1", "localhost")}
        self.secret = secrets.token_urlsafe(32)
        self._cookie = hmac.new(self.secret.encode(), b"session", hashlib.sha256).hexdigest()
        # Cookies do not tell ports apart.
        self._name = f"quizprep-{host.rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message), nonce)
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, guarded)
            return
        await self._app(scope, _Bounded(receive), guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; None if it may."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return PlainTextResponse("Another host.", 421)
        if scope["method"] in UNSAFE and not self._from_own_page(headers):
            return PlainTextResponse("This did not come from a page of this server.", 403)
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            return PlainTextResponse("A body without a length.", 400)
        if not 0 <= length <= MAX_BODY:
            return PlainTextResponse("That is too large.", 413)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        if given and scope["method"] == "GET" and _equal(given, self.secret):
            # A page that leads on, not a redirect: behind a link on another site, a browser would
            # send the cookie with neither of the two requests.
            answer = HTMLResponse('<!doctype html><meta http-equiv="refresh" content="0; url=/">')
            answer.set_cookie(self._name, self._cookie, httponly=True, samesite="strict")
            return answer
        if not _equal(self._given_cookie(headers), self._cookie):
            return PlainTextResponse(NO_KEY, 403)
        return None

    def _from_own_page(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return headers.get("origin") == f"http://{headers['host']}"

    def _given_cookie(self, headers: Headers) -> str:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._name)
        except CookieError:
            return ""
        return cookie.value if cookie is not None else ""


class TooLarge(Exception):
    """A body is larger than it said, or than any may be."""


class _Bounded:
    """Receives a body, up to its limit: one that is sent in pieces names no length."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = MAX_BODY

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLarge
        return message


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def policy(nonce: str, editor: bool = False) -> str:
    """What a page may load and run: what has its nonce.

    With an ``editor`` elements may have a style of their own: a browser gives them one when text in
    an editable element is replaced.
    """
    attributes = "style-src-attr 'unsafe-inline'; " if editor else ""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; {attributes}"
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def _protect(headers: MutableHeaders, nonce: str) -> None:
    headers.setdefault("content-security-policy", policy(nonce))
    headers["referrer-policy"] = "no-referrer"
    headers["x-content-type-options"] = "nosniff"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    headers.setdefault("cache-control", "no-store")
