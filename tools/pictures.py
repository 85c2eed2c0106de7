"""``make pictures``: the pictures of the README, taken from the real program.

Two screens of the terminal as SVG, a sheet and a page of `quizprep web` as PNG, in
``docs/pictures``. The progress screen shows an invented learner: three weeks of answers that are
drawn from a fixed seed.
"""

from __future__ import annotations

import io
import os
import pty
import random
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from quizprep.content.library import Library, shipped_root
from quizprep.quiz.scheduling import reschedule
from quizprep.store import Answer, Store
from tools.chromium import chromium, window
from tools.system_packages import program

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
COLUMNS = 84
PASSED = ("softmax", "attention")
DAYS = 21

THEME = TerminalTheme(
    (22, 25, 28),
    (221, 225, 229),
    [
        (60, 66, 72), (227, 130, 110), (140, 201, 161), (226, 192, 120),
        (131, 188, 216), (196, 160, 214), (125, 200, 200), (221, 225, 229),
    ],
)  # fmt: skip


def main() -> int:
    """Write all pictures; without a Chromium the sheet's stays as it is."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copy(ROOT / "examples" / "wrong_causal_mask.py", folder)
        verdict = ["grade", "causal_mask", "wrong_causal_mask.py", "--seed", "7"]
        _screen("verdict", verdict, folder)
        _practise(folder / "home")
        for name in PASSED:
            _run(["grade", name, str(ROOT / "solutions" / f"{name}.py")], folder)
        _screen("progress", ["progress"], folder)
        _run(["sheet", "masking", "-o", "sheet.html"], folder)
        if program("chromium") is None:
            print("There is no Chromium here, so sheet.png and web.png were not taken anew.")
            return 1
        _sheet(folder / "sheet.html")
        _web(folder)
    return 0


def _run(arguments: list[str], folder: Path) -> str:
    """What the program writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "quizprep", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "QUIZPREP_HOME": str(folder / "home"),
            "COLUMNS": str(COLUMNS),
            "TERM": "xterm-256color",
            "PYTHONIOENCODING": "utf-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    parts = []
    try:
        while data := os.read(ours, 1 << 16):
            parts.append(data)
    except OSError:
        pass  # On Linux this is how a terminal ends whose program has ended.
    os.close(ours)
    process.wait()
    return b"".join(parts).decode().replace("\r\n", "\n")


def _screen(name: str, arguments: list[str], folder: Path) -> None:
    """A command and its answer as SVG."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="256"
    )
    shown = " ".join(arguments).removesuffix(" --seed 7")
    console.print(Text(f"$ quizprep {shown}", style="bold"))
    console.print(Text.from_ansi(_run(arguments, folder).rstrip("\n")))
    title = f"quizprep {arguments[0]}"
    # The id is that of the command: else it would change with every run.
    svg = console.export_svg(title=title, theme=THEME, unique_id=f"quizprep-{name}")
    # Rich asks a network for its font; a README's picture may not.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def _practise(home: Path) -> None:
    """Three weeks of answers, better from week to week."""
    draw = random.Random(7)
    questions = list(Library(shipped_root()).questions)
    today = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    with Store.open(home) as store:
        for day in range(DAYS):
            if day % 6 == 5:
                continue
            for place in range(draw.randint(5, 14)):
                when = today - timedelta(days=DAYS - day) + timedelta(minutes=place)
                score = 1.0 if draw.random() < 0.55 + day / 60 else draw.choice((0.0, 0.5))
                rating = 3 if score == 1 else 1
                answer = Answer(
                    draw.choice(questions), when, place, "", score, rating, 0, 20.0, f"day {day}"
                )
                store.record_review(answer, reschedule)


def _sheet(path: Path) -> None:
    """The part of a sheet with its pictures, as PNG."""
    with chromium() as browser, window(browser, width=1180, height=820) as page:
        page.goto(path.as_uri())
        page.evaluate("document.getElementById('masking-pictures').scrollIntoView()")
        page.wait_for_timeout(1500)
        page.screenshot(path=PICTURES / "sheet.png")


def _web(folder: Path) -> None:
    """The page of a verdict, as PNG."""
    from tests.web.conftest import start

    process, client = start(folder / "home")
    source = (ROOT / "tests" / "blind" / "causal_mask" / "strict_mask__1.py").read_text("utf-8")
    with chromium() as browser, window(browser, width=1120, height=980) as page:
        page.goto(client.address)
        page.wait_for_selector("h1")
        page.goto(f"http://{client.host}/exercises/causal_mask")
        field = "document.getElementById('source')"
        # Without the comment that tells where the slip is.
        page.evaluate(f"text => {{ {field}.value = text }}", source.split("\n", 1)[1])
        page.evaluate(f"{field}.form.submit()")
        page.wait_for_selector("h1.bad", timeout=120_000)
        page.screenshot(path=PICTURES / "web.png")
    process.terminate()


if __name__ == "__main__":
    sys.exit(main())
