"""What of torch is switched off in the learner's process: its own attention, its compiler, threads.

An exercise is about writing attention, so every kernel of torch's own is replaced in the
dispatcher, below Python, below autograd and below every mode: it answers with an error however
it is reached (``torch.nn``, ``torch.ops``, ``torch._C``, a reference captured before).

A compiler needs processes and files, which a submission may not have, so a function that is to
be compiled runs as it is. Nor may it start threads: a number of threads that is asked for is
ignored.
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

import torch

from quizprep.worker.backends import Function

ATTENTION = (
    "scaled_dot_product",
    "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd",
    "_flash_attention_forward",
    "_efficient_attention_forward",
    "_triton_scaled_dot_attention",
)
"""Parts of the names of the operations that are attention."""

_OPERATIONS = tuple(
    name
    for name in torch._C._dispatch_get_all_op_names()
    if name.startswith("aten::")
    and "backward" not in name
    and any(part in name for part in ATTENTION)
)
_KEYS = ("CPU", "NestedTensorCPU")


class LibraryAttentionError(RuntimeError):
    """The submission called the library's own attention."""


class AttentionBan:
    """The replaced kernels; ``used`` is the name of the last one that was called, or ""."""

    def __init__(self) -> None:
        """Replace the kernels, for the rest of the process's life."""
        self.used = ""
        self._library = torch.library.Library("aten", "IMPL")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for operation in _OPERATIONS:
                for key in _KEYS:
                    self._library.impl(
                        operation.removeprefix("aten::"),
                        self._refusal(operation.removeprefix("aten::").partition(".")[0]),
                        key,
                        allow_override=True,
                    )
        # This one is composed of matrix products in Python: there is no kernel to replace.
        torch.nn.functional.multi_head_attention_forward = self._refusal(
            "multi_head_attention_forward"
        )

    def _refusal(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            self.used = name
            raise LibraryAttentionError(f"the library's own attention, {name}, is switched off")

        return refuse

    def take_used(self) -> str:
        """The name of a kernel that was called since the last time, or ""."""
        used, self.used = self.used, ""
        return used


UNCOMPILED = "torch.compile is not available while code is graded: your function runs uncompiled."


def switch_off_compiler() -> None:
    """Let ``torch.compile`` and ``torch.compiler.disable`` return what they are given, for the rest
    of the process's life. The first use of ``torch.compile`` prints that."""
    used = False

    def compile_nothing(model: Function | None = None, **_: object) -> Function:
        nonlocal used
        if not used:
            print(UNCOMPILED)
        used = True
        return unchanged if model is None else model

    def disable(fn: Function | None = None, *_: object, **__: object) -> Function:
        return unchanged if fn is None else fn

    torch.compile = compile_nothing
    # Its own would import torch._dynamo: a second, and 75 MiB that look like a workspace.
    torch.compiler.disable = disable


def keep_one_thread() -> None:
    """Let ``torch.set_num_threads`` and the like do nothing, for the rest of the process's life:
    OpenMP would end the process, since it may not start a thread."""

    def ignore(_: int) -> None:
        """Stay with one thread."""

    torch.set_num_threads = torch.set_num_interop_threads = ignore


def unchanged(function: Function) -> Function:
    """The function itself, as a decorator with arguments returns it."""
    return function
