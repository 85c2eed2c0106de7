"""The pages of ``quizprep web`` in a real browser: by keyboard, at any width, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from quizprep.web.rendering import EDITOR
from tests.web.conftest import Client, start

WIDTHS = (360, 800, 1400)
PAGES = (
    "/",
    "/ask",
    "/exercises",
    "/exercises/causal_mask",
    "/mock",
    "/progress",
    "/explore",
    "/explore/flash_forward",
    "/nowhere",
)
WRONG = Path("tests/blind/causal_mask/strict_mask__1.py")
RIGHT = Path("tests/blind/causal_mask/right_2.py")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    process, client = start(tmp_path_factory.mktemp("home"))
    yield client
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def page(browser: Browser, client: Client) -> Iterator[Page]:
    """A page that is let in; whatever it asks of another machine, or complains of, fails the
    test."""
    context = browser.new_context()
    opened = context.new_page()
    troubles: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((f"http://{client.host}/", "data:")):
            troubles.append(request.url)

    def complained(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "404" not in message.text:
            troubles.append(message.text)

    opened.on("request", asked)
    opened.on("console", complained)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.goto(client.address)
    opened.wait_for_selector("h1")  # the address with the secret leads on to today's page
    yield opened
    context.close()
    assert troubles == []


def verdict(page: Page, client: Client, source: Path) -> None:
    """Grade a file through the form, and wait for its verdict."""
    page.goto(f"http://{client.host}/exercises/causal_mask")
    page.evaluate(
        "text => document.getElementById('source').form.source.value = text",
        source.read_text("utf-8"),
    )
    page.evaluate("document.getElementById('source').form.submit()")
    page.wait_for_selector("h1.good, h1.bad", timeout=120_000)


def faults(page: Page) -> list[Any]:
    found = Axe().run(page)["violations"]
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_barred_to_anybody(page: Page, client: Client, scheme: Any) -> None:
    """axe-core finds nothing, whatever the colours."""
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(f"http://{client.host}{path}")
        assert faults(page) == [], path
    page.goto(f"http://{client.host}/ask")
    page.get_by_role("button", name="Any topic").click()
    assert faults(page) == []
    for source in (WRONG, RIGHT):
        verdict(page, client, source)
        assert faults(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_to_be_moved_sideways(page: Page, client: Client, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES:
        page.goto(f"http://{client.host}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    verdict(page, client, RIGHT)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_round_by_keyboard_alone(page: Page, client: Client) -> None:
    """Questions are opened, answered and left for the next without a mouse."""
    ask = f"http://{client.host}/ask"
    for _ in range(5):
        page.goto(ask)
        page.get_by_role("button", name="Any topic").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        field = page.locator("form [name=reply]").first
        field.focus()
        if field.get_attribute("type") in ("radio", "checkbox"):
            page.keyboard.press("Space")
        elif field.evaluate("element => element.tagName") != "SELECT":
            page.keyboard.type("12")
        page.get_by_role("button", name="Answer").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if page.locator("h1").inner_text() == "Question":
            continue  # the reply could not be read
        assert page.evaluate("document.activeElement.textContent") == "Next question"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("h1").inner_text() == "Question"


def test_from_the_starter_to_a_pass(page: Page, client: Client) -> None:
    """A wrong answer leads to its line, a right one to the solution beside it; the back button
    loses nothing."""
    verdict(page, client, WRONG)
    assert page.get_by_text("strict_mask").count()
    assert page.locator("tr.marked").count() == 1
    page.go_back()
    page.get_by_role("link", name="Exercises").click()
    verdict(page, client, RIGHT)
    assert page.locator("h1").inner_text() == "Causal attention: passed"
    assert page.get_by_text("peak of memory").count() == 1
    page.get_by_role("link", name="Edit").click()
    assert RIGHT.read_text("utf-8").strip() in page.locator("#source").input_value()


@pytest.mark.skipif(not EDITOR.is_file(), reason="the editor is not built: make web")
def test_the_editor_keeps_the_form_in_step(page: Page, client: Client) -> None:
    """Typed text reaches the form, Ctrl-Enter grades it, and the failing line is marked."""
    page.goto(f"http://{client.host}/exercises/softmax")
    page.locator(".cm-content").click()
    assert not page.locator("#source").is_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("def softmax(x, axis=-1):\nreturn x / 0 + y\n")
    assert "return x / 0 + y" in page.locator("#source").input_value()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    page.wait_for_selector("h1.bad", timeout=120_000)
    page.get_by_role("link", name="Edit").click()
    page.wait_for_selector(".cm-lint-marker-error")
    assert faults(page) == []


def hold(page: Page, client: Client) -> None:
    """Begin a mock interview, or go on with it."""
    page.goto(f"http://{client.host}/mock")
    if page.get_by_role("button", name="Begin").count():
        with page.expect_navigation():
            page.get_by_role("button", name="Begin").click()


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_interview_is_left_and_gone_on_with(page: Page, client: Client, scheme: Any) -> None:
    """Closing the page stops the clock and keeps what was answered; all of its pages are for
    everybody, at any width, and the debrief prints without forms."""
    page.emulate_media(color_scheme=scheme)
    hold(page, client)
    first = page.locator("[name=part]").input_value()
    page.locator("#reply").fill("It is memory. </textarea><script>alert(1)</script>")
    press(page, "Answer")
    assert page.locator("[name=part]").input_value() != first
    page.goto("about:blank")
    page.goto(f"http://{client.host}/")
    page.get_by_text("One is unfinished").wait_for()
    pressed = 0
    page.get_by_role("link", name="Go on").click()
    while not page.locator("h1", has_text="Debrief").count():
        assert faults(page) == []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        pressed += 1
        assert pressed < 20
        press(page, "Go on without it" if page.locator("#source").count() else "Skip")
    assert faults(page) == []
    assert page.get_by_text("<script>alert(1)").count()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.get_by_role("button", name="Correct it").first.is_visible()


def find_question(page: Page, client: Client, selector: str) -> None:
    """Open questions until one has what is looked for."""
    for _ in range(400):
        page.goto(f"http://{client.host}/ask")
        press(page, "Any topic")
        if page.locator(selector).count():
            return
    raise AssertionError(selector)


def test_steps_are_dragged_and_moved_by_key(page: Page, client: Client) -> None:
    """Both change the reply that the form sends."""
    find_question(page, client, "[data-steps]")
    assert faults(page) == []
    letters = "[...document.querySelectorAll('select')].map(s => s.value).join('')"
    assert page.evaluate(letters).startswith("abc")
    page.locator(".handle").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(letters).startswith("bac")
    assert page.evaluate("document.activeElement.className").endswith("handle")
    steps = page.locator(".movable li")
    box = steps.nth(2).bounding_box()
    assert box is not None
    steps.nth(0).drag_to(steps.nth(2), target_position={"x": 60, "y": box["height"] - 3})
    assert page.evaluate(letters).startswith("acb")
    press(page, "Answer")
    assert page.locator("q").inner_text().replace(" ", "").startswith("acb")


def test_a_number_is_read_as_it_is_typed(page: Page, client: Client) -> None:
    find_question(page, client, "[data-reading]")
    page.locator("#reply").fill("3 *")
    page.get_by_text("not read yet").wait_for()
    page.locator("#reply").fill("<b>")
    page.wait_for_timeout(400)
    assert not page.locator("#reading b").count()


def test_a_file_is_followed_as_it_is_saved(page: Page, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "<b>mine.py"
    file.write_text(WRONG.read_text("utf-8"), "utf-8")
    page.goto(f"http://{client.host}/exercises/causal_mask")
    page.get_by_text("Grade a file on your disk").click()
    page.get_by_label("Its whole path").fill(str(file))
    press(page, "Grade it")
    page.wait_for_selector("h1.bad", timeout=120_000)
    assert faults(page) == []
    file.write_text(RIGHT.read_text("utf-8"), "utf-8")
    page.wait_for_selector("h1.good", timeout=120_000)


def test_a_grading_is_cancelled_by_a_button(page: Page, client: Client) -> None:
    """The page says so, and the next grading works."""
    page.goto(f"http://{client.host}/exercises/causal_mask")
    page.evaluate(
        "document.getElementById('source').form.source.value = 'while True:\\n    pass\\n'"
    )
    page.evaluate("document.getElementById('source').form.submit()")
    page.wait_for_selector("[data-progress]")
    address = page.url
    assert faults(page) == []
    press(page, "Cancel")
    page.goto(address)
    assert page.locator("h1").inner_text() == "Cancelled"
    assert faults(page) == []
    verdict(page, client, RIGHT)
    assert page.locator("h1").inner_text() == "Causal attention: passed"
