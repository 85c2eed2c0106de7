# slip: line 18
import torch


def causal_attention(q, k, v):
    """Step 1: scores. Step 2: mask. Step 3: softmax. Step 4: average."""
    B, H, N, D = q.shape
    M = k.shape[-2]
    offset = M - N
    out = torch.empty_like(q)
    for b in range(B):
        for h in range(H):
            Q, K, V = q[b, h].float(), k[b, h].float(), v[b, h].float()
            att = Q @ K.T
            att = att / D**0.5
            i = torch.arange(N, device=q.device).view(N, 1)
            j = torch.arange(M, device=q.device).view(1, M)
            att[j > i + offset] = 0
            att = att.softmax(dim=1)
            att = att * (i + offset >= 0)
            out[b, h] = (att @ V).to(q.dtype)
    return out
