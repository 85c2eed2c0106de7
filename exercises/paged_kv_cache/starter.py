"""A KV cache in pages. The task: quizprep show paged_kv_cache.
Then: quizprep grade paged_kv_cache."""

from typing import Any

import torch


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


class PagedKVCache:
    """Keys and values of many sequences in one pool of pages.

    pages             how many pages the pool has
    page_size         how many tokens a page holds
    heads, head_dim   the sizes h, d of what is appended

    A sequence is known by its handle, which is whatever you return from allocate and fork.
    """

    def __init__(self, pages: int, page_size: int, heads: int, head_dim: int) -> None:
        raise NotImplementedError  # TODO

    def allocate(self) -> Any:
        """The handle of a new sequence without tokens; it takes no page."""
        raise NotImplementedError  # TODO

    def append(self, seq: Any, k: torch.Tensor, v: torch.Tensor) -> None:
        """Hold t more tokens of a sequence.

        k, v    (h, t, d), float32, t >= 1
        raises OutOfPages if more pages are needed than are free; then nothing has changed
        """
        raise NotImplementedError  # TODO

    def attend(self, seq: Any, q: torch.Tensor) -> torch.Tensor:
        """Attention over all tokens of a sequence, of which there is at least one.

        q       (h, 1, d), float32, the query of its last token
        returns o (h, 1, d), float32
        """
        raise NotImplementedError  # TODO

    def fork(self, seq: Any) -> Any:
        """The handle of a second sequence that begins with the same tokens; it takes no page.

        Both go on by themselves: what one appends, the other does not see.
        """
        raise NotImplementedError  # TODO

    def free(self, seq: Any) -> None:
        """Give up a sequence. Pages that no other sequence holds are free again."""
        raise NotImplementedError  # TODO

    def used_pages(self) -> int:
        """How many pages hold tokens, a page that several sequences share once."""
        raise NotImplementedError  # TODO
