"""Token by token, in place, by outer products written as baddbmm."""

import torch


def gated_delta_rule(q, k, v, alpha, beta, chunk):
    wide = torch.promote_types(v.dtype, torch.float32)
    b, h, n, d = q.shape
    e = v.size(-1)
    flat = [x.flatten(0, 1) for x in (q, k, v)]
    a, g = (x.flatten(0, 1).to(wide)[..., None, None] for x in (alpha, beta))
    state = torch.zeros(b * h, d, e, dtype=wide)
    o = v.new_empty(b * h, n, e)
    for t in range(n):
        qt, kt, vt = (x[:, t : t + 1].to(wide) for x in flat)
        state.mul_(a[:, t])
        error = torch.baddbmm(vt, kt, state, alpha=-1).mul_(g[:, t])
        state.baddbmm_(kt.mT, error)
        o[:, t] = torch.bmm(qt, state)[:, 0]
    return o.unflatten(0, (b, h)), state.unflatten(0, (b, h))
