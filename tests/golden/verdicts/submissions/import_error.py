import torch
import flash_attn_that_is_not_there


def causal_attention(q, k, v):
    return q
