"""Proof that a command or a module leaves some packages alone, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_RUN = """
import atexit, runpy, sys
names = sys.argv.pop(1)
atexit.register(lambda: open(names, "w").write("\\n".join(sys.modules)))
if sys.argv[1] == "-m":
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    __import__(sys.argv[1])
"""


def loaded_packages(
    what: str | Sequence[str],
    scratch: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> set[str]:
    """The top-level packages in sys.modules after importing a module or running the program.

    what     a module's name, or the arguments of ``python -m quizprep``
    scratch  a folder to write to
    """
    target = [what] if isinstance(what, str) else ["-m", "quizprep", *what]
    names = scratch / "modules.txt"
    names.unlink(missing_ok=True)
    path = os.pathsep.join([str(ROOT), (env or {}).get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(names), *target],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {}), "PYTHONPATH": path},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in names.read_text().splitlines()}


def assert_not_imported(
    what: str | Sequence[str],
    names: Collection[str],
    scratch: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> None:
    """Fail if importing the module or running the command imported one of the packages."""
    loaded = loaded_packages(what, scratch, env, stdin) & set(names)
    assert not loaded, f"{what} imports {', '.join(sorted(loaded))}"
