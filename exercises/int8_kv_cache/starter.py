"""A KV cache in int8. The task: quizprep show int8_kv_cache.
Then: quizprep grade int8_kv_cache."""

import torch


class Int8KVCache:
    """Keys and values of the tokens so far, a byte a number.

    batch, heads, head_dim  the sizes b, h, d of what is appended
    max_len                 the most tokens that are ever held
    """

    def __init__(self, batch: int, heads: int, head_dim: int, max_len: int) -> None:
        raise NotImplementedError  # TODO

    def append(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Hold t more tokens, in int8 with a scale for each token and head.

        k, v    (b, h, t, d), float32, t >= 1
        """
        raise NotImplementedError  # TODO

    def attend(self, q: torch.Tensor) -> torch.Tensor:
        """Attention of the last t tokens held over all tokens held, causal among the t.

        q       (b, h, t, d), float32; t may differ from the last append's
        returns o (b, h, t, d), float32
        """
        raise NotImplementedError  # TODO
