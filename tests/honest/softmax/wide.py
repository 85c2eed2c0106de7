"""Computes in float64, in place, and narrows at the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def softmax(x: npt.NDArray[np.floating], axis: int = -1) -> npt.NDArray[np.floating]:
    z = x.astype(np.float64)
    with np.errstate(invalid="ignore"):
        z -= np.amax(z, axis=axis, keepdims=True)
        np.exp(z, out=z)
        z /= np.add.reduce(z, axis=axis, keepdims=True)
    z[np.isnan(z)] = 0
    return z.astype(x.dtype)
