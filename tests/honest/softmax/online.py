"""One pass over the entries of all lines at once, as the online softmax does it."""

import numpy as np


def softmax(x, axis=-1):
    z = np.moveaxis(x, axis, 0)
    top = np.full(z.shape[1:], -np.inf, dtype=np.float32)
    total = np.zeros(z.shape[1:], dtype=np.float32)
    for entry in z:
        new = np.maximum(top, entry)
        safe = np.where(np.isneginf(new), 0, new)
        total = total * np.exp(top - safe) + np.exp(entry - safe)
        top = new
    safe = np.where(np.isneginf(top), 0, top)
    y = np.exp(z - safe) / np.where(total == 0, 1, total)
    return np.moveaxis(y, 0, axis).astype(x.dtype)
