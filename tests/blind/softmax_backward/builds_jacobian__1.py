# slip: line 8
import torch


def softmax_backward(p, grad_p):
    ct = torch.promote_types(p.dtype, torch.float32)
    w, g = p.to(ct), grad_p.to(ct)
    jacobian = torch.diag_embed(w) - w.unsqueeze(2) * w.unsqueeze(1)
    return torch.einsum("rij,rj->ri", jacobian, g).to(p.dtype)
