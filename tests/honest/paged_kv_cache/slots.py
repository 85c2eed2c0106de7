"""A flat pool of slots, index_select by slot numbers; a list as the handle; bincount for holders."""

import torch


class OutOfPages(RuntimeError): ...


class PagedKVCache:
    def __init__(self, pages, page_size, heads, head_dim):
        self.kv = torch.full((2, heads, pages * page_size, head_dim), float("nan"))
        self.p, self.alive, self.pages = page_size, [], pages

    def _holders(self):
        count = [0] * self.pages
        for seq in self.alive:
            for page in seq[1:]:
                count[page] += 1
        return count

    def allocate(self):
        seq = [0]
        self.alive.append(seq)
        return seq

    def append(self, seq, k, v):
        n, t = seq[0], k.shape[1]
        count = self._holders()
        free = [i for i, c in enumerate(count) if c == 0]
        need = (n + t + self.p - 1) // self.p - (len(seq) - 1)
        shared = n % self.p > 0 and count[seq[-1]] > 1
        if len(free) < need + shared:
            raise OutOfPages("full")
        if shared:
            new, old = free.pop(0), seq[-1]
            self.kv[:, :, new * self.p : (new + 1) * self.p] = self.kv[
                :, :, old * self.p : (old + 1) * self.p
            ]
            seq[-1] = new
        seq.extend(free[:need])
        slots = torch.tensor([seq[1 + i // self.p] * self.p + i % self.p for i in range(n, n + t)])
        self.kv[0].index_copy_(1, slots, k)
        self.kv[1].index_copy_(1, slots, v)
        seq[0] = n + t

    def attend(self, seq, q):
        slots = torch.tensor([seq[1 + i // self.p] * self.p + i % self.p for i in range(seq[0])])
        k, v = self.kv[0].index_select(1, slots), self.kv[1].index_select(1, slots)
        s = (k @ q.transpose(1, 2)).squeeze(-1) * q.shape[-1] ** -0.5
        return s.softmax(-1).unsqueeze(1) @ v

    def fork(self, seq):
        child = list(seq)
        self.alive.append(child)
        return child

    def free(self, seq):
        self.alive = [s for s in self.alive if s is not seq]

    def used_pages(self):
        return sum(c > 0 for c in self._holders())
