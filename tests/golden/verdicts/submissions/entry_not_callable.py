causal_attention = "softmax(qk)v"
