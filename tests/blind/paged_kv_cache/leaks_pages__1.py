# slip: after line 77
import math
from collections import Counter, deque

import torch


class OutOfPages(RuntimeError):
    pass


class PagedKVCache:
    """Tokens are written one by one. A handle is a list: [length, page, page, ...]."""

    def __init__(self, pages, page_size, heads, head_dim):
        self.P = page_size
        self.pool = torch.zeros(2, pages, page_size, heads, head_dim)
        self.idle = deque(range(pages))
        self.count = Counter()

    def allocate(self):
        return [0]

    def append(self, seq, k, v):
        t = k.shape[1]
        length, pages = seq[0], seq[1:]
        need = (length + t + self.P - 1) // self.P - len(pages)
        if length % self.P and self.count[pages[-1]] > 1:
            need += 1
        if need > len(self.idle):
            raise OutOfPages("the pool is full")
        for i in range(t):
            self._push(seq, k[:, i], v[:, i])

    def _push(self, seq, k, v):
        offset = seq[0] % self.P
        if offset == 0:
            page = self.idle.popleft()
            self.count[page] = 1
            seq.append(page)
        elif self.count[seq[-1]] > 1:
            page = self.idle.popleft()
            self.pool[:, page, :offset] = self.pool[:, seq[-1], :offset]
            self.count[seq[-1]] -= 1
            self.count[page] = 1
            seq[-1] = page
        self.pool[0, seq[-1], offset] = k
        self.pool[1, seq[-1], offset] = v
        seq[0] += 1

    def attend(self, seq, q):
        # softmax page by page, with a running maximum
        left = seq[0]
        scale = 1 / math.sqrt(q.shape[-1])
        top = torch.full_like(q[..., :1], -math.inf)
        total = torch.zeros_like(top)
        acc = torch.zeros_like(q)
        for page in seq[1:]:
            rows = min(self.P, left)
            keys, values = self.pool[:, page, :rows]
            s = torch.bmm(q, keys.permute(1, 2, 0)) * scale
            new = torch.maximum(top, s.amax(-1, keepdim=True))
            p = torch.exp(s - new)
            shrink = torch.exp(top - new)
            total = total * shrink + p.sum(-1, keepdim=True)
            acc = acc * shrink + torch.bmm(p, values.transpose(0, 1))
            top = new
            left -= rows
        return acc / total

    def fork(self, seq):
        self.count.update(seq[1:])
        return seq[:]

    def free(self, seq):
        for page in seq[1:]:
            self.count[page] -= 1
        seq.clear()

    def used_pages(self):
        return sum(1 for c in self.count.values() if c > 0)
