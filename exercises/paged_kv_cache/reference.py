"""A paged cache by its definition: a sequence is a list of pages, and no page ever changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

Step = tuple[str, Any]


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


class PagedKVCache:
    """Pages, (2, h, tokens, d) for keys and values, are made anew and never written to: so
    nothing that shares one can see it change, and it is used while some sequence holds it."""

    def __init__(self, pages: int, page_size: int, heads: int, head_dim: int) -> None:
        self.pages = pages
        self.page_size = page_size
        self.sequences: dict[int, list[Tensor]] = {}
        self.made = 0

    def allocate(self) -> int:
        """A sequence without tokens."""
        self.made += 1
        self.sequences[self.made] = []
        return self.made

    def append(self, seq: int, k: Tensor, v: Tensor) -> None:
        """k, v: (h, t, d); raises OutOfPages, and then nothing has changed."""
        before = self.sequences[seq]
        full = [page for page in before if page.shape[2] == self.page_size]
        tokens = torch.cat([*before[len(full) :], torch.stack([k, v])], dim=2)
        self.sequences[seq] = [*full, *tokens.split(self.page_size, dim=2)]
        if self.used_pages() > self.pages:
            self.sequences[seq] = before
            raise OutOfPages

    def attend(self, seq: int, q: Tensor) -> Tensor:
        """q, o: (h, 1, d)."""
        k, v = torch.cat(self.sequences[seq], dim=2)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        return torch.softmax(scores, dim=-1) @ v

    def fork(self, seq: int) -> int:
        """Another sequence of the same tokens, in the same pages."""
        child = self.allocate()
        self.sequences[child] = list(self.sequences[seq])
        return child

    def free(self, seq: int) -> None:
        """Forget a sequence."""
        del self.sequences[seq]

    def used_pages(self) -> int:
        """The pages that some sequence holds."""
        return len({id(page) for pages in self.sequences.values() for page in pages})


def make_inputs(
    rng: np.random.Generator,
    pages: int = 4,
    page: int = 2,
    h: int = 1,
    d: int = 4,
    most: int = 3,
    steps: int = 6,
    m: int = 0,
    t: int = 0,
) -> dict[str, Any]:
    """q: (h, n, d); k, v: (h, n + pages*page + 1, d), n tokens and behind them NaN, one for each
    slot of the pool and one more. ``steps`` calls are drawn, with up to ``most`` tokens appended
    at a time; the cost is measured with m tokens held before t more."""
    n = m + t + 2 * most + 2

    def tokens() -> np.ndarray:
        nothing = np.full((h, pages * page + 1, d), np.nan)
        return np.concatenate([rng.standard_normal((h, n, d)), nothing], axis=1)

    return {
        "q": rng.standard_normal((h, n, d)),
        "k": tokens(),
        "v": tokens(),
        "pages": pages,
        "page": page,
        "most": most,
        "steps": steps,
        "m": m,
        "order": int(rng.integers(0, 2**31)),
    }


class Both:
    """The submission's cache and the one above, called alike.

    They part where the submission raises when it should not, or does not when it should: what
    it does from there on depends on more than its mistake. The outputs are then those of the
    cache above.
    """

    def __init__(self, api: Any, pages: int, page: int, heads: int, head_dim: int) -> None:
        self.api = api
        self.right = PagedKVCache(pages, page, heads, head_dim)
        self.cache = api.PagedKVCache(pages, page, heads, head_dim)
        self.parted = False
        self.handles: dict[int, Any] = {}

    def _new(self, seq: int, call: Callable[[], Any]) -> int:
        self.handles[seq] = None if self.parted else self.api.opaque(call)
        return seq

    def allocate(self) -> int:
        return self._new(self.right.allocate(), lambda: self.cache.allocate())

    def fork(self, seq: int) -> int:
        return self._new(self.right.fork(seq), lambda: self.cache.fork(self.handles[seq]))

    def append(self, seq: int, k: Tensor, v: Tensor) -> Iterator[Step]:
        """Yields whether it raised OutOfPages."""
        raised = wanted = _raises(lambda: self.right.append(seq, k, v))
        if not self.parted:
            raised = self.api.raises(
                "OutOfPages", lambda: self.cache.append(self.handles[seq], k, v), guess=wanted
            )
            self.parted = raised is not wanted
        yield "out_of_pages", raised

    def attend(self, seq: int, q: Tensor) -> Iterator[Step]:
        """Yields o, (h, 1, d)."""
        known = self.right.attend(seq, q) if self.parted else None
        yield "o", self.cache.attend(self.handles[seq], q) if known is None else known

    def free(self, seq: int) -> None:
        self.right.free(seq)
        if not self.parted:
            self.cache.free(self.handles[seq])

    def used_pages(self) -> Iterator[Step]:
        yield "used_pages", self.right.used_pages() if self.parted else self.cache.used_pages()


def _raises(call: Callable[[], None]) -> bool:
    try:
        call()
    except OutOfPages:
        return True
    return False


def drive(
    api: Any,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pages: int,
    page: int,
    most: int,
    steps: int,
    m: int,
    order: int,
) -> Iterator[Step]:
    """Sequences come, grow, fork and go as drawn, until the pool is full and beyond."""
    h, n, d = q.shape
    rng = np.random.default_rng(order)
    both = Both(api, pages, page, h, d)
    live: list[int] = []
    waiting: list[int] = []

    def poison() -> Iterator[Step]:
        """NaN into every free page, by way of a sequence that takes all of them and goes. One
        token more does not fit, so this shows as well whether the right number is free."""
        full = n + (pages - both.right.used_pages()) * page
        seq = both.allocate()
        for start, end in ((n, full), (full, full + 1)):
            if end > start:
                yield from both.append(seq, k[:, start:end], v[:, start:end])
        both.free(seq)
        yield from both.used_pages()

    def attend(seq: int) -> Iterator[Step]:
        if both.right.sequences[seq]:
            at = int(rng.integers(0, n))
            yield from both.attend(seq, q[:, at : at + 1])

    def written_after_fork() -> Iterator[Step]:
        """One of two holders writes, and so has a page of its own; the other goes, and what it held
        is written over. Nothing of it may be left in the first."""
        parent = both.allocate()
        count = min(n, int(rng.integers(1, page + 2)))
        yield from both.append(parent, k[:, :count], v[:, :count])
        pair = [parent, both.fork(parent)]
        writer = pair.pop(int(rng.integers(0, 2)))
        yield from both.append(writer, k[:, n - 1 : n], v[:, n - 1 : n])
        both.free(pair[0])
        yield from poison()
        yield from attend(writer)
        both.free(writer)

    with api.ahead():
        yield from poison()
        if page > 1 and rng.random() < 0.5:
            yield from written_after_fork()
        for _ in range(steps):
            # After a fork both sides are written to, in either order.
            seq = waiting.pop() if waiting else None
            draw = rng.random()
            if not live or (seq is None and draw < 0.1 and len(live) < 4):
                seq = both.allocate()
                live.append(seq)
            elif seq is None and draw < 0.35 and len(live) < 5:
                parent = live[int(rng.integers(0, len(live)))]
                live.append(both.fork(parent))
                waiting = [parent, live[-1]] if rng.random() < 0.5 else [live[-1], parent]
                yield from both.used_pages()
                continue
            elif seq is None and draw < 0.5:
                both.free(live.pop(int(rng.integers(0, len(live)))))
                yield from poison()
                continue
            if seq is None:
                seq = live[int(rng.integers(0, len(live)))]
            count = int(rng.integers(1, most + 1))
            start = int(rng.integers(0, n - count + 1))
            yield from both.append(seq, k[:, start : start + count], v[:, start : start + count])
            yield from both.used_pages()
            yield from attend(seq)
            # Another one: what was written must not show there.
            other = live[int(rng.integers(0, len(live)))]
            if other != seq:
                yield from attend(other)
        if live:
            # Of three holders of the same pages two go, in any order, and what is free is written
            # over: the last one still has its tokens.
            holders = [live[-1], both.fork(live[-1]), both.fork(live[-1])]
            live[-1] = holders.pop(int(rng.integers(0, 3)))
            for holder in holders:
                both.free(holder)
            yield from poison()
        while live:
            yield from attend(live[-1])
            both.free(live.pop())
        yield from poison()


def cost(
    api: Any,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pages: int,
    page: int,
    most: int,
    steps: int,
    m: int,
    order: int,
) -> Iterator[Step]:
    """m tokens held, t more appended and attended to; then a fork that writes a token."""
    h, n, d = q.shape
    end = n - 2 * most - 2
    with api.ahead():
        with api.meter("hold"):
            cache = api.PagedKVCache(pages, page, h, d)
            seq = api.opaque(lambda: cache.allocate())
            cache.append(seq, k[:, :m], v[:, :m])
        with api.meter("append"):
            cache.append(seq, k[:, m:end], v[:, m:end])
        with api.meter("attend"):
            o = cache.attend(seq, q[:, :1])
        yield "o", o
        cache.append(seq, k[:, end : end + 1], v[:, end : end + 1])
        fork = api.opaque(lambda: cache.fork(seq))
        with api.meter("write"):
            cache.append(fork, k[:, end + 1 : end + 2], v[:, end + 1 : end + 2])
        yield "used_pages", cache.used_pages()
