"""A streaming cache with attention sinks. The task: quizprep show sink_cache.
Then: quizprep grade sink_cache."""

import torch


class SinkCache:
    """Keys and values of the first tokens of a stream and of its latest.

    batch, heads, head_dim  the sizes b, h, d of what is appended
    sinks                   how many of the first tokens are kept for good, 0 or more
    window                  how many of the latest tokens are kept, 1 or more
    """

    def __init__(self, batch: int, heads: int, head_dim: int, sinks: int, window: int) -> None:
        raise NotImplementedError  # TODO

    def append(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Take the next token of the stream.

        k, v    (b, h, 1, d)
        """
        raise NotImplementedError  # TODO

    def attend(self, q: torch.Tensor) -> torch.Tensor:
        """Attention of the newest token over the first `sinks` tokens and the last `window`.

        q       (b, h, 1, d), the query of the token that was appended last
        returns o (b, h, 1, d)
        """
        raise NotImplementedError  # TODO
