"""FlashAttention's backward pass in Triton. The task: quizprep show triton_flash_backward."""

import torch
import triton
import triton.language as tl


@triton.jit
def grad_keys(q, k, v, grad_o, lse, delta, dk, dv, BLOCK: tl.constexpr, BLOCK_D: tl.constexpr):
    """dk and dv of one tile of keys of one head. Add the arguments that it needs."""
    # TODO: walk over the tiles of queries, rebuild the weights from lse, add up dv and dk.


@triton.jit
def grad_queries(q, k, v, grad_o, lse, delta, dq, BLOCK: tl.constexpr, BLOCK_D: tl.constexpr):
    """dq of one tile of queries of one head. Add the arguments that it needs."""
    # TODO: walk over the tiles of keys, rebuild the weights from lse, add up dq.


def flash_attention_backward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    o: torch.Tensor,
    lse: torch.Tensor,
    grad_o: torch.Tensor,
    block: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of exact attention; weights never reach main memory.

    q, o, grad_o  (b, h, n, d), any strides; o is the result of the forward pass
    k, v          (b, h, m, d), any strides
    lse           (b, h, n), from the forward pass; -inf for a query that sees no key
    block         queries and keys in a tile; a power of two, at least 16
    causal        hide the future: the n queries are the last n of the m positions
    returns dq (b, h, n, d), dk and dv (b, h, m, d)
    """
    # TODO: allocate the gradients, find delta, launch one program a tile of keys, and one a
    # tile of queries.
    raise NotImplementedError("flash_attention_backward is not written yet")
