# slip: after line 9
from torch import einsum


def softmax_backward(p, grad_p):
    w, g = p.float(), grad_p.float()
    # the Jacobian is diag(w) - w w^T; applied to g, this is what is left of it
    dot = einsum("rc,rc->r", w, g)
    out = g - dot[:, None]
    return out.to(p.dtype)
