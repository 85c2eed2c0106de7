# slip: line 8
from torch import einsum


def softmax_backward(p, grad_p):
    w, g = p.float(), grad_p.float()
    # the Jacobian is diag(w) - w w^T; applied to g, this is what is left of it
    total = einsum("rc->r", w)
    out = g - total[:, None]
    out *= w
    return out.to(p.dtype)
