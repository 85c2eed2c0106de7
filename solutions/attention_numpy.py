"""Attention of one head in numpy, softmax included."""

import numpy as np


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Scaled dot-product attention of one head: every query sees every key.

    q       (n, d)
    k, v    (m, d)
    returns (n, d), in the dtype of q

    Cost: 4*n*m*d flops in the two matrix products, 4*n*m + 2*n*d for the rest; one array of
    scores is worked on in place, 4*n*m bytes in float32.
    """
    d = q.shape[-1]

    # k.T is a view: nothing is copied. Scaling q costs n*d multiplications, scaling the scores
    # would cost n*m. d**-0.5 is a Python float and keeps the dtype; np.sqrt(d) would not.
    scores = (q * d**-0.5) @ k.T

    # exp(s - c) / sum exp(s - c) does not depend on c. With the maximum of each row as c every
    # exponent is at most 0 and one of them is 0: nothing overflows, and the sum is at least 1.
    scores -= scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores, out=scores)

    # Dividing after the product costs n*d divisions instead of n*m.
    return (weights @ v) / weights.sum(axis=-1, keepdims=True)
