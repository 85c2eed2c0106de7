def attention(q):
    raise NotImplementedError
