"""Writes its products as einsum under dots, and one with axes as numbers.

exercise: attention_numpy
passes
"""

import numpy as np


def attention(q, k, v):
    scores = np.einsum("...nd,...md->...nm", q * q.shape[-1] ** -0.5, k)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.einsum(weights, [..., 0, 1], v, [..., 1, 2], [..., 0, 2]) / weights.sum(-1)[:, None]
