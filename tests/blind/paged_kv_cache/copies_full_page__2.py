# slip: line 42
import torch
import torch.nn.functional as F


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


class _Pool:
    def __init__(self, pages, page_size, heads, head_dim):
        self.data = torch.zeros(pages, 2, heads, page_size, head_dim)
        self.holders = {page: set() for page in range(pages)}

    def free(self):
        return [page for page, who in self.holders.items() if not who]

    def take(self, who):
        page = self.free()[0]
        self.holders[page].add(who)
        return page

    def shared(self, page):
        return len(self.holders[page]) > 1


class PagedKVCache:
    def __init__(self, pages, page_size, heads, head_dim):
        self.pool = _Pool(pages, page_size, heads, head_dim)
        self.page_size = page_size
        self.seqs = {}
        self.ids = 0

    def allocate(self):
        self.ids += 1
        self.seqs[self.ids] = {"table": [], "len": 0}
        return self.ids

    def _must_copy(self, seq):
        state = self.seqs[seq]
        filled = state["len"] - (len(state["table"]) - 1) * self.page_size
        has_tokens = state["len"] > 0 and filled <= self.page_size
        return has_tokens and self.pool.shared(state["table"][-1])

    def _pages_needed(self, seq, t):
        state = self.seqs[seq]
        total = (state["len"] + t - 1) // self.page_size + 1
        return total - len(state["table"]) + (1 if self._must_copy(seq) else 0)

    def append(self, seq, k, v):
        t = k.shape[1]
        if self._pages_needed(seq, t) > len(self.pool.free()):
            raise OutOfPages()
        state = self.seqs[seq]
        table = state["table"]
        if self._must_copy(seq):
            old = table.pop()
            new = self.pool.take(seq)
            self.pool.data[new].copy_(self.pool.data[old])
            self.pool.holders[old].discard(seq)
            table.append(new)
        kv = torch.stack((k, v))
        room = -state["len"] % self.page_size
        pieces = [kv[:, :, :room]] if room else []
        pieces += kv[:, :, room:].split(self.page_size, dim=2) if t > room else []
        for piece in pieces:
            at = state["len"] % self.page_size
            if at == 0:
                table.append(self.pool.take(seq))
            self.pool.data[table[-1], :, :, at : at + piece.shape[2]] = piece
            state["len"] += piece.shape[2]

    def attend(self, seq, q):
        table, n = self.seqs[seq]["table"], self.seqs[seq]["len"]
        kv = self.pool.data[table]  # pages, 2, heads, page_size, head_dim
        keys, values = kv.permute(1, 2, 0, 3, 4).flatten(2, 3)[:, :, :n]
        weights = F.softmax(q @ keys.mT / q.shape[-1] ** 0.5, dim=-1)
        return weights @ values

    def fork(self, seq):
        child = self.allocate()
        parent = self.seqs[seq]
        self.seqs[child] = {"table": parent["table"].copy(), "len": parent["len"]}
        for page in parent["table"]:
            self.pool.holders[page].add(child)
        return child

    def free(self, seq):
        for page in self.seqs.pop(seq)["table"]:
            self.pool.holders[page].remove(seq)

    def used_pages(self):
        return sum(bool(who) for who in self.pool.holders.values())
