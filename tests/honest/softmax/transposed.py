"""Moves the axis to the front, and lets a dataclass hold the state."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Line:
    top: np.ndarray
    total: np.ndarray


def state_of(z):
    top = z.max(axis=0)
    top = np.where(top == -np.inf, 0, top)
    return Line(top, np.exp(z - top).sum(axis=0))


def softmax(x, axis=-1):
    z = np.swapaxes(x, axis, 0)
    state = state_of(z)
    print("lines", state.total.shape)
    y = np.exp(z - state.top) / np.where(state.total > 0, state.total, 1)
    return np.swapaxes(y, 0, axis)
