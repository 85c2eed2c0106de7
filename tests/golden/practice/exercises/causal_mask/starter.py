def causal_mask(q):
    raise NotImplementedError
