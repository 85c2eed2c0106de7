"""Nobody but the browser that was opened with the secret gets anything from the server."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client

EVERYWHERE = (
    "/",
    "/ask",
    "/exercises",
    "/exercises/softmax",
    "/progress",
    "/static/editor.js",
    "/no",
)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_without_the_cookie_nothing_is_shown(client: Client, path: str) -> None:
    for cookie in (None, "quizprep=1", f"quizprep-{client.host[-5:]}=0", "a=;;=b"):
        answer = client.ask("GET", path, headers={"Cookie": cookie})
        assert answer.status == 403 and "softmax" not in answer.text


def test_a_wrong_secret_gives_no_cookie(client: Client) -> None:
    for key in ("", "0", client.secret[:-1], client.secret + "0"):
        answer = client.ask("GET", f"/?key={key}", headers={"Cookie": None})
        assert answer.status == 403 and "set-cookie" not in answer.headers


def test_the_cookie_is_not_for_scripts_or_other_sites(client: Client) -> None:
    cookie = client.ask("GET", f"/?key={client.secret}").headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.secret.lower() not in cookie


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "", None])
def test_another_host_is_refused(client: Client, host: str | None) -> None:
    """A name of another site that leads to this machine is no name of this server."""
    assert client.ask("GET", "/", headers={"Host": host}).status in (400, 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": None, "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "OWN"},
    ],
)
def test_a_form_from_elsewhere_changes_nothing(
    client: Client, headers: dict[str, str | None]
) -> None:
    own = {k: f"http://{client.host}" if v == "OWN" else v for k, v in headers.items()}
    before = client.ask("GET", "/exercises/softmax").text.count("Hint 1")
    answer = client.ask("POST", "/exercises/softmax/hint", {}, headers=own)
    assert answer.status == 403
    assert client.ask("GET", "/exercises/softmax").text.count("Hint 1") == before


def test_a_browser_that_sends_only_its_origin_is_served(client: Client) -> None:
    headers = {"Sec-Fetch-Site": None, "Origin": f"http://{client.host}"}
    assert client.ask("POST", "/ask", {"again": "1"}, headers=headers).status == 303


def test_large_bodies_are_refused(client: Client) -> None:
    """Whether it says how large it is, lies about it, or says nothing."""
    said = client.ask(
        "POST", "/exercises/softmax/draft", b"", headers={"Content-Length": str(100 << 20)}
    )
    assert said.status == 413
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    headers = {"Transfer-Encoding": "chunked", "Content-Length": None}
    answer = client.ask("POST", "/exercises/softmax/draft", chunk * 3 + b"0\r\n\r\n", headers)
    assert answer.status == 413


@pytest.mark.parametrize(
    "path",
    [
        "/exercises/..%2f..%2fetc%2fpasswd",
        "/exercises/../../etc/passwd",
        "/sheets/..%2f..%2fsolutions",
        "/static/../app.py",
        "/gradings/99999999999999999999",
        "/ask/%00",
    ],
)
def test_paths_lead_nowhere_else(client: Client, path: str) -> None:
    answer = client.ask("GET", path)
    assert answer.status in (400, 404)
    assert "root:" not in answer.text and "def " not in answer.text


def test_every_page_has_a_strict_policy(client: Client) -> None:
    """Scripts and styles need the page's own nonce, which is new every time."""
    seen = set()
    for path in EVERYWHERE:
        policy = client.ask("GET", path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        # The editor's page may style single elements; nothing may run or load without the nonce.
        assert "unsafe" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        seen.add(policy)
    assert len(seen) == len(EVERYWHERE)
    sheet = client.ask("GET", "/sheets/scaling").headers["content-security-policy"]
    assert "script-src" not in sheet and "default-src 'none'" in sheet
