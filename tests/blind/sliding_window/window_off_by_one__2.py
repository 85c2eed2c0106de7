# slip: line 9
import torch


def sliding_window_attention(q, k, v, window):
    b, h, n, d = q.shape
    ct = torch.promote_types(q.dtype, torch.float32)
    qf, kf, vf = q.to(ct) * d**-0.5, k.to(ct), v.to(ct)
    w = min(window + 1, n)
    # band[..., o] is the score of a query and the key o positions before it
    band = torch.full((b, h, n, w), float("-inf"), dtype=ct)
    for o in range(w):
        band[:, :, o:, o] = (qf[:, :, o:] * kf[:, :, : n - o]).sum(-1)
    band = band.softmax(-1)
    out = torch.zeros(b, h, n, d, dtype=ct)
    for o in range(w):
        out[:, :, o:] += band[:, :, o:, o, None] * vf[:, :, : n - o]
    return out.to(q.dtype)
