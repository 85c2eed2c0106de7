"""Decoding over a paged cache. The task: quizprep show triton_paged_decode."""

import torch
import triton
import triton.language as tl


@triton.jit
def decode(q, k, v, table, lengths, o, BLOCK_P: tl.constexpr, BLOCK_D: tl.constexpr):
    """One program for each sequence and group. Add the arguments that it needs."""
    # TODO: load the queries of the group's heads, walk over the pages of the sequence with a
    # running maximum, sum and accumulator, store the results.


def paged_decode(
    q: torch.Tensor,
    k_pages: torch.Tensor,
    v_pages: torch.Tensor,
    block_table: torch.Tensor,
    lengths: torch.Tensor,
) -> torch.Tensor:
    """Attention of one new token a sequence over keys and values that lie in pages.

    q            (s, h, d)                  one query a sequence and head, any strides
    k_pages      (pages, page_size, g, d)   g divides h; head i reads group i // (h // g)
    v_pages      (pages, page_size, g, d)
    block_table  (s, max_pages)             int32: token t of a sequence lies in its page number
                                            t // page_size, in slot t % page_size
    lengths      (s,)                       int32: live tokens of each sequence, 0 or more
    returns      (s, h, d), in the dtype of q; zeros for a sequence of length 0
    """
    # TODO: allocate the result, launch one program for each sequence and group.
    raise NotImplementedError("paged_decode is not written yet")
