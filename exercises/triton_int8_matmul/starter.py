"""A product of int8 matrices. The task: quizprep show triton_int8_matmul."""

import torch
import triton
import triton.language as tl


@triton.jit
def int8_matmul_tile(a, a_scale, b, b_scale, c, BLOCK: tl.constexpr):
    """One program a tile of c. Add the arguments that it needs."""
    # TODO: add up products of int8 tiles in int32, convert and scale once, store.


def int8_matmul(
    a_q: torch.Tensor, a_scale: torch.Tensor, b_q: torch.Tensor, b_scale: torch.Tensor
) -> torch.Tensor:
    """(a_scale[:, None] * a_q) @ (b_q * b_scale), without ever holding a float copy of either.

    a_q      (m, k) int8, any strides
    a_scale  (m,) float32, one scale a row
    b_q      (k, n) int8, any strides
    b_scale  (n,) float32, one scale a column
    returns  (m, n) float32
    """
    # TODO: choose tiles, allocate the result, launch one program a tile.
    raise NotImplementedError("int8_matmul is not written yet")
