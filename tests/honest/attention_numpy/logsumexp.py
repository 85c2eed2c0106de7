"""np.logaddexp.reduce as logsumexp."""

import numpy as np


def attention(q, k, v):
    s = (
        np.matmul(q.astype(np.float32), np.swapaxes(k, 0, 1).astype(np.float32))
        * np.float32(q.shape[1]) ** -0.5
    )
    lse = np.logaddexp.reduce(s, axis=1, keepdims=True)
    return np.matmul(np.exp(s - lse), v).astype(q.dtype)
