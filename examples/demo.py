"""``make demo``: the main job on real input, without asking anything.

Marks a few answers, grades one right and two wrong submissions, writes a study sheet. Every
line that follows a ``$`` is the real command with the real program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "demo-out"

OPEN = (
    "With independent components the variance of the product grows with d, its spread with "
    "sqrt(d). Without the scale the softmax saturates and its gradient vanishes.\n\n"
)


def run(*arguments: str, expect: int, replies: str | None = None) -> None:
    """Run one command and show it; stop if its exit code is not the expected one."""
    print(f"\n$ quizprep {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "quizprep", *arguments],
        cwd=OUT,
        env={**os.environ, "QUIZPREP_HOME": str(OUT / "home")},
        input=replies,
        text=True,
        check=False,
    )
    if done.returncode != expect:
        sys.exit(f"demo: exit code {done.returncode}, expected {expect}")


def main() -> None:
    """The tour."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for example in HERE.glob("*_*.py"):
        shutil.copy(example, OUT)
    run("list", expect=0)
    number = ("--kind", "number", "-n", "1")
    run("ask", "kv-cache", *number, "--seed", "4", expect=0, replies="a lot\n512 KiB\n")
    run("ask", "scaling", "--kind", "choice", "-n", "1", "--seed", "7", expect=0, replies="a\n")
    run("ask", "scaling", "--kind", "open", "-n", "1", "--seed", "7", expect=0, replies=OPEN)
    run("grade", "causal_mask", "right_causal_mask.py", "--lines", expect=0)
    run("grade", "causal_mask", "wrong_causal_mask.py", expect=1)
    run("grade", "flash_forward", "wrong_flash_forward.py", expect=1)
    run("ask", "--due", "-n", "1", expect=0, replies="q\n")
    run("sheet", "scaling", "kv-cache", "--format", "html", "--output", "sheet.html", expect=0)
    print(f"\nThe sheet is {OUT.name}/sheet.html; everything above was stored in {OUT.name}/home.")
    print("In the browser: .venv/bin/quizprep web")


if __name__ == "__main__":
    main()
