"""Integer handles, dicts of tables, one token at a time after counting."""

import math

import torch


class OutOfPages(RuntimeError):
    pass


class PagedKVCache:
    def __init__(self, pages, page_size, heads, head_dim):
        self.k = torch.zeros(pages, page_size, heads, head_dim)
        self.v = torch.zeros(pages, page_size, heads, head_dim)
        self.size = page_size
        self.refs = [0] * pages
        self.tables, self.lengths, self.next = {}, {}, 0

    def allocate(self):
        self.next += 1
        self.tables[self.next], self.lengths[self.next] = [], 0
        return self.next

    def _new_page(self):
        p = self.refs.index(0)
        self.refs[p] = 1
        return p

    def append(self, seq, k, v):
        table, n, t = self.tables[seq], self.lengths[seq], k.shape[1]
        need = math.ceil((n + t) / self.size) - len(table)
        cow = n % self.size != 0 and self.refs[table[-1]] > 1
        if need + cow > self.refs.count(0):
            raise OutOfPages()
        if cow:
            old, new = table[-1], self._new_page()
            self.k[new], self.v[new] = self.k[old], self.v[old]
            self.refs[old] -= 1
            table[-1] = new
        for i in range(t):
            if (n + i) % self.size == 0:
                table.append(self._new_page())
            self.k[table[-1], (n + i) % self.size] = k[:, i]
            self.v[table[-1], (n + i) % self.size] = v[:, i]
        self.lengths[seq] = n + t

    def attend(self, seq, q):
        idx = torch.tensor(self.tables[seq])
        n = self.lengths[seq]
        k = self.k[idx].flatten(0, 1)[:n]
        v = self.v[idx].flatten(0, 1)[:n]
        s = torch.einsum("hd,nhd->hn", q[:, 0], k) / q.shape[-1] ** 0.5
        return torch.einsum("hn,nhd->hd", s.softmax(-1), v).unsqueeze(1)

    def fork(self, seq):
        new = self.allocate()
        self.tables[new] = self.tables[seq][:]
        self.lengths[new] = self.lengths[seq]
        for p in self.tables[new]:
            self.refs[p] += 1
        return new

    def free(self, seq):
        for p in self.tables.pop(seq):
            self.refs[p] -= 1
        del self.lengths[seq]

    def used_pages(self):
        return sum(r > 0 for r in self.refs)
