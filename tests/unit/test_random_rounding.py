"""What cancels is judged by what rounding leaves of it, and nothing else is judged any softer."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import torch
from torch import Tensor

from quizprep.worker.backends import TorchBackend
from quizprep.worker.judge.comparison import expect, wrong
from quizprep.worker.judge.random_rounding import rounded

BACKEND = TorchBackend()


def gradient(p: Tensor, v: Tensor, grad_o: Tensor) -> Tensor:
    """The gradient by scores: p (n, m), v (m, d), grad_o (n, d)."""
    dp = grad_o @ v.mT
    return p * (dp - (p * dp).sum(-1, keepdim=True))


def by_output(p: Tensor, v: Tensor, grad_o: Tensor) -> Tensor:
    """The same with the sum taken from the output, as FlashAttention does."""
    return p * (grad_o @ v.mT - ((p @ v) * grad_o).sum(-1, keepdim=True))


def test_another_order_of_sums_may_leave_what_rounding_leaves() -> None:
    """Over one key the gradient is exactly 0 by definition, and 1e-7 in another order of sums:
    that is right, while a millionth of the terms is not."""
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(200):
        v, grad_o = (torch.from_numpy(rng.standard_normal(s)).float() for s in ((1, 9), (6, 9)))
        args = (torch.ones(6, 1), v, grad_o)
        expected = expect(gradient, args, BACKEND, rng, cancels=True)
        found = by_output(*args).numpy()
        seen += bool(found.any())
        assert not wrong(expected.values[0], expected.allowed[0], found).any()
        assert wrong(expected.values[0], expected.allowed[0], found + 1e-4).all()
    assert seen > 100


def test_what_is_zero_without_cancelling_stays_exact() -> None:
    """A row that sees nothing is a product with 0: nothing but 0 is right."""
    rng = np.random.default_rng(4)
    p, v = torch.zeros(3, 2), torch.from_numpy(rng.standard_normal((2, 4))).float()
    expected = expect(lambda p, v: p @ v, (p, v), BACKEND, rng, cancels=True)
    assert expected.allowed == (0.0,)


def test_rounding_is_of_the_dtype_and_spares_infinities() -> None:
    """Half precision moves 2**16 times as much as float32; -inf and masks are as they were."""
    rng = np.random.default_rng(5)
    x = torch.from_numpy(rng.uniform(1, 2, 1000))
    off = {}
    for dtype in (torch.float32, torch.bfloat16):
        given = x.to(dtype)
        off[dtype] = float((rounded(lambda a: a * 1.0, rng)(given) - given).abs().double().max())
    assert 1e4 < off[torch.bfloat16] / off[torch.float32] < 1e6
    masked = torch.tensor([[0.5, -torch.inf], [-torch.inf, -torch.inf]])
    weights = rounded(lambda s: torch.softmax(s, -1), rng)(masked)
    assert weights[0, 1] == 0
    assert weights[1].isnan().all()


def test_a_gradient_in_half_precision_is_still_wrong() -> None:
    """The allowance for rounding is one of the case's dtype."""
    rng = np.random.default_rng(6)
    p = torch.softmax(torch.from_numpy(rng.standard_normal((6, 5))).float(), -1)
    v, grad_o = (torch.from_numpy(rng.standard_normal(s)).float() for s in ((5, 8), (6, 8)))
    expected = expect(gradient, (p, v, grad_o), BACKEND, rng, cancels=True)
    low = by_output(*(a.bfloat16() for a in (p, v, grad_o))).double().numpy()
    assert wrong(expected.values[0], expected.allowed[0], low).any()


def test_no_second_is_lost_to_an_import() -> None:
    """A mode would import torch._dynamo, 900 modules, in every judge that rounds."""
    program = (
        "import sys, numpy, torch\n"
        "from quizprep.worker.judge.random_rounding import rounded\n"
        "x = torch.ones(2, 2)\n"
        "rounded(lambda a: a @ a, numpy.random.default_rng(1))(x)\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"
