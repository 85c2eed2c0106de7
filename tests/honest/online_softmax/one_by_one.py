"""Number by number, in Python floats."""

import math


def online_softmax(blocks):
    m, s = -math.inf, 0.0
    for block in blocks:
        for x in block.tolist():
            if x == -math.inf:
                continue
            if x > m:
                s = s * math.exp(m - x) + 1.0
                m = x
            else:
                s += math.exp(x - m)
    return m, s


def merge(a, b):
    if a[1] == 0:
        return b
    if b[1] == 0:
        return a
    if a[0] < b[0]:
        a, b = b, a
    return a[0], a[1] + b[1] * math.exp(b[0] - a[0])
