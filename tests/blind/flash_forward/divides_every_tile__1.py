# slip: line 44
import math

import torch
import torch.nn.functional as F


def flash_attention(q, k, v, block, causal=False):
    B, H, N, D = q.shape
    M = k.shape[2]
    acc_type = torch.float64 if q.dtype == torch.float64 else torch.float32
    n_tiles = math.ceil(N / block)
    m_tiles = math.ceil(M / block)
    pad_k = F.pad(k, (0, 0, 0, m_tiles * block - M)).to(acc_type)
    pad_v = F.pad(v, (0, 0, 0, m_tiles * block - M)).to(acc_type)

    O = torch.zeros(B, H, N, D, dtype=acc_type)
    m_i = torch.full((B, H, N, 1), -math.inf, dtype=acc_type)
    l_i = torch.zeros(B, H, N, 1, dtype=acc_type)

    for i in range(n_tiles):
        q_lo, q_hi = i * block, min(N, (i + 1) * block)
        q_tile = q[:, :, q_lo:q_hi].to(acc_type)
        for j in range(m_tiles):
            k_lo, k_hi = j * block, (j + 1) * block
            if causal and k_lo > q_hi - 1 + M - N:
                continue
            S = torch.matmul(q_tile, pad_k[:, :, k_lo:k_hi].mT) / math.sqrt(D)
            key_index = torch.arange(k_lo, k_hi)
            S[..., key_index >= M] = -math.inf
            if causal:
                query_index = torch.arange(q_lo, q_hi) + M - N
                S[..., key_index[None, :] > query_index[:, None]] = -math.inf
            m_old = m_i[:, :, q_lo:q_hi]
            m_new = torch.maximum(m_old, S.max(dim=-1, keepdim=True).values)
            m_ref = m_new.clone()
            m_ref[m_ref == -math.inf] = 0
            P = torch.exp(S - m_ref)
            alpha = torch.exp(m_old - m_ref)
            l_i[:, :, q_lo:q_hi] *= alpha
            l_i[:, :, q_lo:q_hi] += P.sum(dim=-1, keepdim=True)
            O[:, :, q_lo:q_hi] *= alpha
            O[:, :, q_lo:q_hi] += P @ pad_v[:, :, k_lo:k_hi]
            O[:, :, q_lo:q_hi] /= l_i[:, :, q_lo:q_hi].clamp_min(1e-30)
            m_i[:, :, q_lo:q_hi] = m_new
    return O.to(q.dtype), (m_i + torch.log(l_i)).squeeze(-1)
