"""FlashAttention in Triton. The task: quizprep show triton_flash_forward."""

import torch
import triton
import triton.language as tl


@triton.jit
def attend(q, k, v, o, lse, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):
    """One program a tile of queries of one head. Add the arguments that it needs."""
    # TODO: load the queries once, walk over tiles of keys with a running maximum, sum and
    # accumulator, store o and lse.


def flash_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    block_m: int,
    block_n: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact attention in one kernel; scores never reach main memory.

    q        (b, h, n, d), any strides
    k, v     (b, h, m, d), any strides
    block_m  queries in a tile, one program each; a power of two, at least 16
    block_n  keys in a tile; a power of two, at least 16
    causal   hide the future: the n queries are the last n of the m positions
    returns o (b, h, n, d), in the dtype of q, and
            lse (b, h, n), float32, the logarithm of the sum of the exponentials of each row's
            scores. A query that may see no key gives o = 0 and lse = -inf.
    """
    # TODO: allocate o and lse, launch one program for each tile of queries and each head.
    raise NotImplementedError("flash_attention is not written yet")
