# slip: line 15
import math

# One number at a time, as it is written in the paper.


def online_softmax(blocks):
    m, l = -math.inf, 0.0
    for block in blocks:
        for x in block:
            x = float(x)
            if x == -math.inf:
                continue
            if x > m:
                l += 1.0
                m = x
            else:
                l += math.exp(x - m)
    return m, l


def merge(a, b):
    hi, lo = (a, b) if a[0] >= b[0] else (b, a)
    if lo[0] == -math.inf:
        return hi
    return hi[0], hi[1] + lo[1] * math.exp(lo[0] - hi[0])
