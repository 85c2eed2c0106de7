"""A tiled product. The task: quizprep show triton_matmul. Then: quizprep grade triton_matmul."""

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_tile(a, b, c, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    """One program a tile of c. Add the arguments that it needs."""
    # TODO: walk along k in steps of BLOCK_K, add up the products of tiles, store the sum once.


def matmul(
    a: torch.Tensor, b: torch.Tensor, block_m: int, block_n: int, block_k: int
) -> torch.Tensor:
    """The product of two matrices, one program a tile of the result.

    a        (m, k), any strides
    b        (k, n), any strides
    block_m, block_n   rows and columns of a tile of the result; powers of two, at least 16
    block_k            how much of k one step takes; a power of two, at least 16
    returns  (m, n), in the dtype of a
    """
    # TODO: allocate the result, launch one program a tile.
    raise NotImplementedError("matmul is not written yet")
