LIMITS = {"heads": 8}


def widest():
    return LIMITS["width"]


WIDTH = widest()


def causal_attention(q, k, v):
    return q
