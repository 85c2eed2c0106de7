# slip: line 15
import torch


class SoftmaxGrad:
    def __init__(self, p):
        self.p = p.to(torch.promote_types(p.dtype, torch.float32))
        self.dtype = p.dtype

    def weighted_mean(self, g):
        return torch.bmm(self.p.unsqueeze(1), g.unsqueeze(2)).squeeze(2)

    def __call__(self, grad):
        g = grad.to(self.p.dtype)
        return g.sub(self.weighted_mean(g)).to(self.dtype)


def softmax_backward(p, grad_p):
    return SoftmaxGrad(p)(grad_p)
