import numpy as np


class Accumulator:
    def __init__(self, top=-np.inf, total=0.0):
        self.top = top
        self.total = total

    def _shift(self, new):
        """refer the sum to a larger maximum"""
        safe = new if np.isfinite(new) else 0.0
        self.total *= np.exp(self.top - safe)
        self.top = new
        return safe

    def add(self, block):
        x = np.array(block, dtype=np.float64)
        safe = self._shift(max(self.top, x.max()))
        np.subtract(x, safe, out=x)
        np.exp(x, out=x)
        self.total += x.sum()

    def join(self, other):
        safe = self._shift(max(self.top, other.top))
        self.total += other.total * np.exp(other.top - safe)

    def result(self):
        return float(self.top), float(self.total)


def online_softmax(blocks):
    acc = Accumulator()
    for block in blocks:
        acc.add(block)
    return acc.result()


def merge(a, b):
    left = Accumulator(*a)
    left.join(Accumulator(*b))
    return left.result()
