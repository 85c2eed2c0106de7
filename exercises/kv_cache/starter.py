"""A KV cache: see README.md."""

import torch


class KVCache:
    """Keys and values of the tokens so far, for attention one step at a time.

    batch, heads, head_dim  the sizes b, h, d of what is appended
    max_len                 the most tokens that are ever held
    dtype                   of keys and values
    """

    def __init__(
        self, batch: int, heads: int, head_dim: int, max_len: int, dtype: torch.dtype
    ) -> None:
        raise NotImplementedError  # TODO

    def append(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Hold t more tokens.

        k, v    (b, h, t, d), t >= 1
        """
        raise NotImplementedError  # TODO

    def attend(self, q: torch.Tensor) -> torch.Tensor:
        """Attention of the last t tokens held over all tokens held, causal among the t.

        q       (b, h, t, d); t may differ from the last append's
        returns o (b, h, t, d)
        """
        raise NotImplementedError  # TODO
