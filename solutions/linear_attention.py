"""Linear attention: one d x d state, carried along in chunks when causal."""

import torch


def features(x: torch.Tensor) -> torch.Tensor:
    """phi(x) = elu(x) + 1, as exp(x) below 0: there elu(x) + 1 rounds, in float32 to 0 from -17."""
    return x.clamp(max=0).exp_().add_(x.clamp(min=0))


def linear_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False
) -> torch.Tensor:
    """Attention with the weights phi(q_i) . phi(k_j), phi(x) = elu(x) + 1, normalised per query.

    q       (b, h, n, d)
    k, v    (b, h, m, d); m = n if causal
    causal  query i sees the keys 0 to i
    returns (b, h, n, d)

    Cost: 2*b*h*(n + m)*d*d flops for state and outputs, linear in the lengths, and 2*d a query
    for its normaliser; causal adds as much again for the products inside chunks of d tokens,
    8*b*h*n*d*d in all. Then a few d x d arrays a head are live, however long the sequence.
    """
    n, d = q.shape[-2:]
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32

    if not causal:
        phi_q, phi_k = features(q), features(k)
        # (phi_q phi_k^T) v would take n*m*d twice. Nothing stands between the two products, no
        # softmax, so the other order gives the same: phi_k^T v is d x d for all queries.
        state = phi_k.transpose(-2, -1) @ v
        total = phi_k.sum(dim=-2)[..., None]
        return (phi_q @ state) / (phi_q @ total)

    # What a query needs to know of the tokens before its chunk. Sums of many terms want float32
    # even where the inputs are narrower.
    state = q.new_zeros(*q.shape[:-2], d, d, dtype=wide)
    total = q.new_zeros(*q.shape[:-2], d, 1, dtype=wide)
    o = torch.empty_like(q)
    # With chunks of d tokens the pairs inside a chunk cost as much as the state, and their
    # weights take as much room. On a GPU one would go no lower than 16.
    for start in range(0, n, d):
        here = slice(start, start + d)
        phi_q = features(q[..., here, :].to(wide))
        phi_k = features(k[..., here, :].to(wide))
        v_chunk = v[..., here, :].to(wide)

        # Pairs inside the chunk, at most d x d of them; tril keeps the diagonal: a query sees
        # its own key.
        weights = torch.tril(phi_q @ phi_k.transpose(-2, -1))
        top = phi_q @ state + weights @ v_chunk
        bottom = phi_q @ total + weights.sum(dim=-1, keepdim=True)
        o[..., here, :] = top / bottom

        state += phi_k.transpose(-2, -1) @ v_chunk
        total += phi_k.sum(dim=-2)[..., None]
    return o
