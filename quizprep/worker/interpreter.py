"""Triton's interpreter without work that it does again and again.

A kernel that calls `tl.max` enters a function of its own there, and before each such call the
interpreter replaces several hundred names of `triton.language`, which it has replaced already
when the kernel was launched: up to half of a small kernel's time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import triton.language as tl
from triton.runtime import interpreter


class _Outermost:
    """What a launch restores at its end; from then on nothing counts as replaced."""

    def __init__(self, scope: Any, replaced: set[int]) -> None:
        self._scope = scope
        self._replaced = replaced

    def restore(self) -> None:
        self._replaced.clear()
        self._scope.restore()


class _Nothing:
    """What a call inside a kernel restores."""

    def restore(self) -> None:
        """Nothing was replaced for it."""


def replace_names_once() -> None:
    """Let calls inside a launch find names replaced that the launch has replaced.

    Triton without the function that does it is left as it is.
    """
    original: Callable[[Any], Any] | None = getattr(interpreter, "_patch_lang", None)
    if original is None:
        return
    replaced: set[int] = set()

    def replace_names(function: Any) -> Any:
        modules = {
            id(value)
            for value in function.__globals__.values()
            if inspect.ismodule(value) and (value is tl or value is tl.core)
        }
        if replaced and modules <= replaced:
            return _Nothing()
        outermost = not replaced
        scope = original(function)
        replaced.update(modules)
        return _Outermost(scope, replaced) if outermost else scope

    interpreter._patch_lang = replace_names
