"""The real program at a fixed time, on content that does not change: ``-m tests.cli.frozen``.

Arguments: the time, the folder that stands for what is shipped, and the program's own. The
variable FROZEN_STEP says how many seconds pass from one look at the stopwatch to the next.
"""

from __future__ import annotations

import itertools
import os
import sys
from datetime import datetime
from pathlib import Path


def run() -> None:
    """Set the two seams, the clock and the root of the content, and start."""
    when, root, *arguments = sys.argv[1:]
    from quizprep.content import library
    from quizprep.quiz import times

    times.now = lambda: datetime.fromisoformat(when)
    ticks = itertools.count()
    step = float(os.environ.get("FROZEN_STEP", "0"))
    times.seconds = lambda: step * next(ticks)
    library.shipped_root = lambda: Path(root)
    sys.argv = ["quizprep", *arguments]
    from quizprep.cli import main

    main()


if __name__ == "__main__":
    run()
