"""The ban on the library's own attention in the learner's process.

An exercise is about writing attention, so every attention kernel of torch is replaced in the
dispatcher, below Python, autograd and every mode: it raises however it is reached (``torch.nn``,
``torch.ops``, ``torch._C``, a reference captured earlier).
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

import torch

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
