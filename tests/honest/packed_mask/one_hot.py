"""Documents as one-hot rows: their product says who shares one."""

import torch


def packed_attention(q, k, v, segments):
    outs = []
    for qb, kb, vb, seg in zip(q, k, v, segments):
        _, idx = torch.unique(seg, return_inverse=True)
        hot = torch.nn.functional.one_hot(idx).to(torch.float32)
        vis = (hot @ hot.T).tril() > 0
        s = torch.baddbmm(
            torch.zeros((), dtype=qb.dtype).expand(1, 1, 1),
            qb,
            kb.transpose(1, 2),
            beta=0,
            alpha=qb.shape[-1] ** -0.5,
        )
        outs.append(torch.bmm(s.masked_fill(~vis, -torch.inf).softmax(-1), vb))
    return torch.stack(outs)
