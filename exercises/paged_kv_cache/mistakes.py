"""What goes wrong in a paged cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "leaks_pages": Mistake(
        "Pages that nobody holds any longer are not free again, and sooner or later the pool runs "
        "out. Each page counts its holders; the last one to go, by free or by a copy on write, "
        "gives it back.",
        concept="paged-cache",
        variants=("never_freed", "shared_not_freed", "copied_not_freed"),
    ),
    "frees_shared_pages": Mistake(
        "free gives back every page of the sequence, also those that a fork still holds. The next "
        "append of anybody then writes into them. Only the last holder gives a page back.",
        concept="paged-cache",
    ),
    "reads_stale_page": Mistake(
        "You attend through a table from before a copy on write: it names the page that was "
        "shared, where the other side goes on writing, and not the copy. A copy replaces the "
        "entry in the table that attention follows.",
        concept="paged-cache",
        variants=("for_good", "until_it_grows"),
    ),
    "no_copy_on_write": Mistake(
        "After a fork you write into the page that both sequences hold, so that each overwrites "
        "the other's tokens. A page with several holders is copied before it is written to.",
        concept="paged-cache",
    ),
    "fork_shares_table": Mistake(
        "A fork has the same list of pages as its parent, not a list of its own, so that a page "
        "which one of them takes turns up in the other. Copy the list.",
        concept="paged-cache",
    ),
    "copies_on_fork": Mistake(
        "fork copies pages at once. Most forks never write into what they share: a fork takes no "
        "page, and the first write into a shared one copies that one.",
        concept="paged-cache",
        variants=("all_pages", "last_page"),
    ),
    "copies_full_page": Mistake(
        "You copy a shared last page that is full. Nothing can be written into it any more, so "
        "it stays shared for good; the next token opens a page of its own.",
        concept="paged-cache",
    ),
    "page_too_early": Mistake(
        "You take a page before there is a token for it. A sequence of n tokens takes "
        "ceil(n / page_size) pages: none when it is empty, and no further one while its last "
        "page is just full.",
        concept="paged-cache",
        variants=("when_allocated", "when_full"),
    ),
    "last_page_length": Mistake(
        "You take the last page of a sequence as full and attend to its unwritten slots as well. "
        "They hold whatever was there before. Stop at the length of the sequence.",
        concept="paged-cache",
    ),
    "first_page_only": Mistake(
        "Of an append that goes past the end of a page, you write only what fits into the first "
        "page. The rest belongs at the beginning of the next ones.",
        concept="paged-cache",
    ),
    "half_done": Mistake(
        "OutOfPages comes when part of the append is done already: pages were taken or tokens "
        "written. Count first what is needed, the copy on write included, and compare it with "
        "what is free; then take.",
        concept="paged-cache",
        variants=("keeps_pages", "keeps_tokens"),
    ),
    "forgets_copy_in_count": Mistake(
        "You count the new pages that an append needs and forget the page for the copy on write. "
        "An append that needs both takes one page more than you compare with what is free.",
        concept="paged-cache",
        variants=("pop_fails", "take_raises"),
    ),
    "counts_shared_twice": Mistake(
        "used_pages adds up the tables of all sequences. A page that several of them share takes "
        "memory once.",
        concept="paged-cache",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d).",
        concept="scaling",
    ),
    "attends_over_pool": Mistake(
        "The answer is right, but attention scores every slot of the pool and hides those of "
        "others: a short sequence costs as much as all of them together. Follow the table.",
        concept="paged-cache",
        cost={"attend.flops": "~h*pages*page*d"},
    ),
    "rewrites_pool": Mistake(
        "The answer is right, but an append makes a new pool in place of writing into the one "
        "there is, and so copies what everybody holds for a few tokens.",
        concept="kv-cache-work",
        cost={"append.moved_bytes": "~h*pages*page*d"},
    ),
}


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


@dataclass(eq=False)
class Held:
    """A sequence: its pages, those that its attention follows, and its length."""

    table: list[int] = field(default_factory=list)
    followed: list[int] = field(default_factory=list)
    length: int = 0


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A cache class with these mistakes."""

    class PagedKVCache:
        def __init__(self, pages: int, page_size: int, heads: int, head_dim: int) -> None:
            self.shape = (2, pages, heads, page_size, head_dim)
            self.size = page_size
            self.unused = list(range(pages))
            self.holders = [0] * pages
            self.live: list[Held] = []
            self.pool: Tensor | None = None

        def allocate(self) -> Held:
            seq = Held()
            self.live.append(seq)
            if "page_too_early:when_allocated" in mistakes:
                self._grow(seq, 1)
            return seq

        def append(self, seq: Held, k: Tensor, v: Tensor) -> None:
            if "half_done:keeps_tokens" in mistakes and k.shape[1] > 1:
                for i in range(k.shape[1]):
                    self.append(seq, k[:, i : i + 1], v[:, i : i + 1])
                return
            if self.pool is None:
                self.pool = k.new_zeros(self.shape)
            start, end = seq.length, seq.length + k.shape[1]
            copies = self._to_copy(seq)
            pages = -(-end // self.size)
            if "page_too_early:when_full" in mistakes:
                pages = end // self.size + 1
            more = max(pages - len(seq.table), 0)
            counted = more if _uncounted(mistakes) else more + len(copies)
            if counted > len(self.unused):
                if "half_done:keeps_pages" in mistakes:
                    self._copy(seq, copies[: len(self.unused)])
                    self._grow(seq, len(self.unused))
                raise OutOfPages
            self._copy(seq, copies)
            self._grow(seq, more)
            if "rewrites_pool" in mistakes:
                self.pool = self.pool.clone()
            room = self.size - start % self.size
            written = min(room, end - start) if "first_page_only" in mistakes else end - start
            for i in range(written):
                page, slot = seq.table[(start + i) // self.size], (start + i) % self.size
                self.pool[0, page, :, slot] = k[:, i]
                self.pool[1, page, :, slot] = v[:, i]
            seq.length = end

        def _to_copy(self, seq: Held) -> list[int]:
            """Places in the table whose pages have to be copied before an append."""
            if "no_copy_on_write" in mistakes:
                return []
            at = seq.length // self.size
            places = [at]
            if "copies_full_page" in mistakes and seq.length and seq.length % self.size == 0:
                places = [at - 1, at]
            return [p for p in places if p < len(seq.table) and self.holders[seq.table[p]] > 1]

        def _copy(self, seq: Held, places: Sequence[int]) -> None:
            assert self.pool is not None
            for place in places:
                old, new = seq.table[place], self._take()
                self.pool[:, new] = self.pool[:, old]
                if "leaks_pages:copied_not_freed" not in mistakes:
                    self.holders[old] -= 1
                seq.table[place] = new
                if not _stale(mistakes):
                    seq.followed[place] = new

        def _grow(self, seq: Held, count: int) -> None:
            new = [self._take() for _ in range(count)]
            seq.table += new
            seq.followed += new
            if count and "reads_stale_page:until_it_grows" in mistakes:
                seq.followed[:] = seq.table

        def _take(self) -> int:
            if not self.unused and "forgets_copy_in_count:pop_fails" not in mistakes:
                raise OutOfPages
            page = self.unused.pop()
            self.holders[page] = 1
            return page

        def attend(self, seq: Held, q: Tensor) -> Tensor:
            assert self.pool is not None
            scale = 1.0 if "no_scale" in mistakes else q.shape[-1] ** -0.5
            table, length = seq.followed, seq.length
            if "last_page_length" in mistakes:
                length = len(table) * self.size
            if "attends_over_pool" in mistakes:
                return self._over_pool(table, length, q * scale)
            keys, values = (torch.cat([part[p] for p in table], dim=1) for part in self.pool)
            scores = (q * scale) @ keys[:, :length].transpose(-2, -1)
            return torch.softmax(scores, dim=-1) @ values[:, :length]

        def _over_pool(self, table: Sequence[int], length: int, q: Tensor) -> Tensor:
            assert self.pool is not None
            heads, d = q.shape[0], q.shape[-1]
            keys, values = self.pool.transpose(1, 2).reshape(2, heads, -1, d)
            own = [table[i // self.size] * self.size + i % self.size for i in range(length)]
            hidden = torch.ones(keys.shape[1], dtype=torch.bool)
            hidden[own] = False
            scores = (q @ keys.transpose(-2, -1)).masked_fill(hidden, -torch.inf)
            return torch.softmax(scores, dim=-1) @ values.masked_fill(hidden[:, None], 0)

        def fork(self, seq: Held) -> Held:
            child = Held(list(seq.table), list(seq.followed), seq.length)
            if "fork_shares_table" in mistakes:
                child.table, child.followed = seq.table, seq.followed
            for page in child.table:
                self.holders[page] += 1
            self.live.append(child)
            if "copies_on_fork:all_pages" in mistakes:
                self._copy(child, range(len(child.table)))
            elif "copies_on_fork:last_page" in mistakes and child.table:
                self._copy(child, [len(child.table) - 1])
            return child

        def free(self, seq: Held) -> None:
            self.live.remove(seq)
            for page in seq.table:
                if "frees_shared_pages" in mistakes:
                    self.holders[page] = 1
                if "leaks_pages:shared_not_freed" in mistakes and self.holders[page] > 1:
                    continue
                self.holders[page] -= 1
                if self.holders[page] == 0 and "leaks_pages:never_freed" not in mistakes:
                    self.unused.append(page)

        def used_pages(self) -> int:
            if "counts_shared_twice" in mistakes:
                return sum(len(seq.table) for seq in self.live)
            return len(self.holders) - len(self.unused)

    return {"PagedKVCache": PagedKVCache}


def _uncounted(mistakes: frozenset[str]) -> bool:
    return any(switch.startswith("forgets_copy_in_count:") for switch in mistakes)


def _stale(mistakes: frozenset[str]) -> bool:
    return bool(mistakes & {"reads_stale_page:for_good", "reads_stale_page:until_it_grows"})
