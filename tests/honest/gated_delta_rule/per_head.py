"""One head after the other, with plain vectors."""

import torch


def gated_delta_rule(q, k, v, alpha, beta, chunk):
    wide = torch.promote_types(v.dtype, torch.float32)
    o = torch.zeros_like(v)
    state = torch.zeros(*q.shape[:2], q.shape[-1], v.shape[-1], dtype=wide)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            s = state[b, h]
            for t in range(q.shape[2]):
                key, value = k[b, h, t].to(wide), v[b, h, t].to(wide)
                s *= alpha[b, h, t].to(wide)
                s += torch.outer(beta[b, h, t].to(wide) * key, value - key @ s)
                o[b, h, t] = q[b, h, t].to(wide) @ s
    return o, state
