"""Autograd inside each tile, of sum(p stop-gradient trick): needs only lse and delta."""

import torch


def flash_attention_backward(q, k, v, o, lse, grad_o, block, causal=False):
    n, m, d = q.shape[2], k.shape[2], q.shape[3]
    delta = (grad_o * o).sum(-1)
    lse = torch.where(torch.isneginf(lse), torch.inf, lse)
    dq, dk, dv = (torch.zeros_like(t) for t in (q, k, v))
    for i in range(0, n, block):
        I = slice(i, min(i + block, n))
        for j in range(0, m, block):
            J = slice(j, min(j + block, m))
            if causal and j > I.stop - 1 + m - n:
                break
            with torch.enable_grad():
                leaves = [
                    t.detach().clone().requires_grad_()
                    for t in (q[:, :, I], k[:, :, J], v[:, :, J])
                ]
                s = leaves[0] @ leaves[1].mT / d**0.5
                if causal:
                    hide = torch.arange(j, J.stop) > torch.arange(i, I.stop)[:, None] + m - n
                    s = s.masked_fill(hide, -1e30)
                p = torch.exp(s - lse[:, :, I, None])
                loss = ((p @ leaves[2]) * grad_o[:, :, I]).sum() - (
                    p.sum(-1) * delta[:, :, I]
                ).sum()
            a, b, c = torch.autograd.grad(loss, leaves)
            dq[:, :, I] += a
            dk[:, :, J] += b
            dv[:, :, J] += c
    return dq, dk, dv
