"""Roles of heads. The task: quizprep show head_roles. Then: quizprep grade head_roles."""

import torch


def head_roles(weights: torch.Tensor, token_freq: torch.Tensor) -> torch.Tensor:
    """How much of its weight each head gives to certain places, averaged over rows and batch.

    weights     (b, h, n, n), attention weights: row i is what query i gives to the keys
    token_freq  (b, n), integers: how often the token at this position occurs in the corpus
    returns     (h, 5), in the dtype of weights: weight on the previous token (over the queries
                that have one), on the next one (likewise), on the first token, on the query's
                own token, and on the rarest token of the sequence, the first of equals.
                With n = 1 there is no previous or next token: 0
    """
    # TODO: five means for each head.
    raise NotImplementedError("head_roles is not written yet")
