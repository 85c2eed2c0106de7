"""Copies all that it holds for every new token, in numpy.

exercise: kv_cache
stage: cost
says: b*h*m*d grows faster
"""

import numpy as np
import torch


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.dtype = dtype
        self.keys = self.values = None

    def append(self, k, v):
        k, v = (x.double().numpy() if x.dtype == torch.bfloat16 else x.numpy() for x in (k, v))
        if self.keys is None:
            self.keys, self.values = k.copy(), v.copy()
        else:
            self.keys = np.concatenate([self.keys, k], 2)
            self.values = np.concatenate([self.values, v], 2)

    def attend(self, q):
        keys, values = (torch.from_numpy(x).to(q.dtype) for x in (self.keys, self.values))
        t, m = q.shape[2], keys.shape[2]
        scores = (q * q.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        future = torch.ones(t, m, dtype=torch.bool).triu(m - t + 1)
        return torch.softmax(scores.masked_fill(future, -torch.inf), -1) @ values
