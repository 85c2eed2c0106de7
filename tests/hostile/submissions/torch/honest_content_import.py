"""Imports what an exercise's own files import, and finds nothing of the grader beside it.

exercise: causal_mask
passes
"""

import torch

import quizprep
from quizprep.exercise import Mistake

assert Mistake
assert not hasattr(quizprep, "worker") and not hasattr(quizprep, "grading")


def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    return weights.masked_fill(hidden, 0) @ v
