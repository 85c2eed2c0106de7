def causal_attention(q, k, v):
    while True:
        print("so many tokens " * 100)
