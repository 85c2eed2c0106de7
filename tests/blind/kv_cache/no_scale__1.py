# slip: line 25
import torch


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.k_cache = torch.empty((batch, heads, max_len, head_dim), dtype=dtype)
        self.v_cache = torch.empty((batch, heads, max_len, head_dim), dtype=dtype)
        self.pos = 0

    def append(self, k, v):
        for step in range(k.shape[2]):
            self.k_cache[:, :, self.pos] = k[:, :, step]
            self.v_cache[:, :, self.pos] = v[:, :, step]
            self.pos += 1

    def attend(self, q):
        B, H, T, D = q.shape
        out = torch.zeros_like(q)
        first = self.pos - T
        for b in range(B):
            for h in range(H):
                K = self.k_cache[b, h, : self.pos]
                V = self.v_cache[b, h, : self.pos]
                att = (q[b, h] @ K.T).float()
                for i in range(T):
                    att[i, first + i + 1 :] = float("-inf")
                out[b, h] = torch.softmax(att, dim=1).to(V.dtype) @ V
        return out
