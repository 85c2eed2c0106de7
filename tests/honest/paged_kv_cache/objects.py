"""Page objects that hold their own tensors, shared by lists; sets count what is used."""

import torch


class OutOfPages(RuntimeError):
    """No page left."""


class Page:
    def __init__(self, heads, size, dim):
        self.k, self.v = torch.empty(heads, size, dim), torch.empty(heads, size, dim)
        self.users = 0


class Seq:
    def __init__(self, pages=(), n=0):
        self.pages, self.n = list(pages), n


class PagedKVCache:
    def __init__(self, pages, page_size, heads, head_dim):
        self.size = page_size
        self.pool = [Page(heads, page_size, head_dim) for _ in range(pages)]
        self.total = pages

    def allocate(self):
        return Seq()

    def _grab(self):
        page = self.pool.pop()
        page.users = 1
        return page

    def append(self, seq, k, v):
        t = k.size(1)
        room = len(seq.pages) * self.size - seq.n
        copy = room > 0 and seq.pages[-1].users > 1
        fresh = max(0, -(-(t - room) // self.size))
        if fresh + int(copy) > len(self.pool):
            raise OutOfPages(f"{fresh} pages wanted")
        if copy:
            mine, old = self._grab(), seq.pages.pop()
            used = self.size - room
            mine.k[:, :used] = old.k[:, :used]
            mine.v[:, :used] = old.v[:, :used]
            old.users -= 1
            seq.pages.append(mine)
        at = 0
        while at < t:
            slot = seq.n % self.size
            if slot == 0:
                seq.pages.append(self._grab())
            step = min(self.size - slot, t - at)
            seq.pages[-1].k[:, slot : slot + step] = k[:, at : at + step]
            seq.pages[-1].v[:, slot : slot + step] = v[:, at : at + step]
            at, seq.n = at + step, seq.n + step

    def attend(self, seq, q):
        scores, left = [], seq.n
        for p in seq.pages:
            use = min(left, self.size)
            scores.append(torch.bmm(q, p.k[:, :use].transpose(1, 2)))
            left -= use
        w = torch.softmax(torch.cat(scores, -1) / q.size(-1) ** 0.5, -1)
        o, at = torch.zeros_like(q), 0
        for p, s in zip(seq.pages, scores):
            use = s.size(-1)
            o += torch.bmm(w[..., at : at + use], p.v[:, :use])
            at += use
        return o

    def fork(self, seq):
        for p in seq.pages:
            p.users += 1
        return Seq(seq.pages, seq.n)

    def free(self, seq):
        for p in seq.pages:
            p.users -= 1
            if not p.users:
                self.pool.append(p)
        seq.pages = []

    def used_pages(self):
        return self.total - len(self.pool)
