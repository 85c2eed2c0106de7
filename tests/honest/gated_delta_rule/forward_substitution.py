"""In chunks, with the system solved row by row."""

import torch


def gated_delta_rule(q, k, v, alpha, beta, chunk):
    wide = torch.promote_types(v.dtype, torch.float32)
    s = torch.zeros(*q.shape[:2], q.shape[-1], v.shape[-1], dtype=wide)
    outs = []
    for start in range(0, q.shape[2], chunk):
        qc, kc, vc, ac, bc = (
            x[:, :, start : start + chunk].to(wide) for x in (q, k, v, alpha, beta)
        )
        logs = torch.cumsum(torch.log(ac), dim=-1)
        ratio = torch.exp((logs.unsqueeze(-1) - logs.unsqueeze(-2)).clamp(max=0))
        g = torch.exp(logs).unsqueeze(-1)
        gram = kc @ kc.mT * ratio
        rest = vc - g * (kc @ s)
        delta = torch.empty_like(rest)
        for i in range(qc.shape[2]):
            seen = gram[:, :, i : i + 1, :i] @ delta[:, :, :i]
            delta[:, :, i : i + 1] = bc[:, :, i, None, None] * (rest[:, :, i : i + 1] - seen)
        outs.append((g * (qc @ s) + torch.tril(qc @ kc.mT * ratio) @ delta).to(v.dtype))
        s = g[:, :, -1:] * s + (kc * ratio[:, :, -1, :, None]).mT @ delta
    return torch.cat(outs, dim=2), s
