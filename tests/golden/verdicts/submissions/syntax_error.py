import torch


def causal_attention(q, k, v):
    scores = q @ k.transpose(-2, -1
    return scores @ v
