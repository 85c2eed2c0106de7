import torch


def softmax_backward(p, grad_p):
    ct = torch.promote_types(p.dtype, torch.float32)
    p32 = p.to(ct)
    g32 = grad_p.to(ct)
    delta = (p32 * g32).sum(dim=-1, keepdim=True)
    return (p32 * (g32 - delta)).to(p.dtype)
