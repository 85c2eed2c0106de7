# slip: lines 66, 67
import math

import torch


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


class PagedKVCache:
    def __init__(self, pages, page_size, heads, head_dim):
        self.page_size = page_size
        self.k = torch.zeros(pages, heads, page_size, head_dim)
        self.v = torch.zeros(pages, heads, page_size, head_dim)
        self.free_pages = list(range(pages))
        self.holders = [0] * pages
        self.tables = {}
        self.lengths = {}
        self.next_handle = 0

    def _take(self):
        page = self.free_pages.pop()
        self.holders[page] = 1
        return page

    def _drop(self, page):
        self.holders[page] -= 1
        if self.holders[page] == 0:
            self.free_pages.append(page)

    def allocate(self):
        handle = self.next_handle
        self.next_handle += 1
        self.tables[handle] = []
        self.lengths[handle] = 0
        return handle

    def append(self, seq, k, v):
        table, n, t = self.tables[seq], self.lengths[seq], k.shape[1]
        copy = n % self.page_size != 0 and self.holders[table[-1]] > 1
        new = math.ceil((n + t) / self.page_size) - len(table)
        if new + copy > len(self.free_pages):
            raise OutOfPages(f"{new + copy} pages needed, {len(self.free_pages)} free")
        if copy:
            old = table[-1]
            page = self._take()
            self.k[page] = self.k[old]
            self.v[page] = self.v[old]
            table[-1] = page
            self._drop(old)
        for _ in range(new):
            table.append(self._take())
        done = 0
        while done < t:
            slot = (n + done) % self.page_size
            page = table[(n + done) // self.page_size]
            count = min(self.page_size - slot, t - done)
            self.k[page, :, slot : slot + count] = k[:, done : done + count]
            self.v[page, :, slot : slot + count] = v[:, done : done + count]
            done += count
        self.lengths[seq] = n + t

    def attend(self, seq, q):
        table = self.tables[seq]
        k = torch.cat([self.k[p] for p in table], dim=1)
        v = torch.cat([self.v[p] for p in table], dim=1)
        s = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        return torch.softmax(s, dim=-1) @ v

    def fork(self, seq):
        child = self.allocate()
        self.tables[child] = list(self.tables[seq])
        self.lengths[child] = self.lengths[seq]
        for page in self.tables[child]:
            self.holders[page] += 1
        return child

    def free(self, seq):
        for page in self.tables.pop(seq):
            self._drop(page)
        del self.lengths[seq]

    def used_pages(self):
        return len(self.holders) - len(self.free_pages)
