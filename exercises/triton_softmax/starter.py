"""A softmax kernel. The task: quizprep show triton_softmax. Then: quizprep grade triton_softmax."""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_row(x, y, BLOCK: tl.constexpr):
    """One program a row. Add the arguments that it needs."""
    # TODO: load a row, compute in float32, store the result.


def softmax(x: torch.Tensor) -> torch.Tensor:
    """Softmax over each row, by a kernel that reads x once and writes the result once.

    x       (rows, cols), any strides, finite
    returns (rows, cols), in the dtype of x
    """
    # TODO: allocate the result, choose BLOCK, launch one program a row.
    raise NotImplementedError("softmax is not written yet")
