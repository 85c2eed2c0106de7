"""quizprep: find out whether you really know attention.

The Python interface is ``quizprep.api``; its names can be imported from here, on first use:
``from quizprep import grade, Library``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from quizprep.api import (
        GradingSession,
        Library,
        QuizprepError,
        Verdict,
        as_html,
        as_text,
        grade,
    )

__version__ = "0.1.0"

__all__ = ["GradingSession", "Library", "QuizprepError", "Verdict", "as_html", "as_text", "grade"]


def __getattr__(name: str) -> object:
    """A name of the interface, imported when it is first asked for."""
    if name in __all__:
        return getattr(importlib.import_module("quizprep.api"), name)
    raise AttributeError(f"module 'quizprep' has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext quizprep``."""
    importlib.import_module("quizprep.notebook").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext quizprep``."""
    importlib.import_module("quizprep.notebook").unload(shell)
