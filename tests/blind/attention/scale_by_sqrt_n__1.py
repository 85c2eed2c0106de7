# slip: line 26
import math
import torch


class ScaledDotProduct:
    def __init__(self, size):
        self.alpha = 1.0 / math.sqrt(size)

    def scores(self, q, k):
        out = torch.empty(q.shape[0], q.shape[1], k.shape[1], dtype=q.dtype)
        return torch.baddbmm(out, q, k.mT, beta=0, alpha=self.alpha)

    def normalise(self, s):
        lse = torch.logsumexp(s, dim=2, keepdim=True)
        return torch.exp(s - lse)

    def __call__(self, q, k, v):
        return torch.bmm(self.normalise(self.scores(q, k)), v)


def attention(q, k, v):
    b, h, n, d = q.shape
    up = torch.promote_types(q.dtype, torch.float32)
    flat = [x.to(up).reshape(b * h, -1, d) for x in (q, k, v)]
    o = ScaledDotProduct(n)(*flat)
    return o.reshape(b, h, n, d).to(q.dtype)
