"""Rotary positions with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "mixed_conventions": Mistake(
        "The tables of cosine and sine are laid out for halves, one after the other, and the pairs "
        "that you rotate are neighbours, or the reverse. Each pair meets two different angles.",
        concept="rope-pairing",
        variants=("tables_of_halves", "rotation_of_halves"),
    ),
    "half_split_pairs": Mistake(
        "You pair column i with column i + d/2. That is the other convention in use (GPT-NeoX, "
        "Llama in Hugging Face), as good as this one but not interchangeable: weights trained "
        "with one give nonsense with the other. Here the pairs are (2i, 2i + 1).",
        concept="rope-pairing",
    ),
    "halves_put_back": Mistake(
        "You turn the right pairs, but put all first numbers before all second ones. The two "
        "numbers of a pair have to end where they came from, next to each other.",
        concept="rope",
    ),
    "wrong_sign": Mistake(
        "You turn by minus the angle: the signs of the two sines are swapped. Products still "
        "depend on i - j only, but it is another rotation than the one that the paper has.",
        concept="rope",
    ),
    "no_minus": Mistake(
        "Both coordinates add: first*cos + second*sin and first*sin + second*cos. That is no "
        "rotation, and lengths change. One of the sines needs a minus.",
        concept="rope",
    ),
    "position_off_by_one": Mistake(
        "Your positions are off by one: position p is turned by p angles, so position 0 is not "
        "turned at all.",
        concept="rope",
        variants=("plus", "minus"),
    ),
    "ignores_positions": Mistake(
        "You turn row i by i angles and ignore `positions`. When one token is decoded there is "
        "only row 0, wherever the token is.",
        concept="rope",
    ),
    "frequency_uses_i_not_2i": Mistake(
        "Your frequencies are base**(-i/d). Pair i of d/2 has base**(-2*i/d), so that they "
        "run from 1 down to nearly 1/base.",
        concept="rope",
    ),
    "frequency_rises": Mistake(
        "Your frequencies are base**(2*i/d): the exponent lacks its minus, and pairs turn "
        "faster and faster.",
        concept="rope",
        variants=("in_float32", "in_float64"),
    ),
    "ignores_base": Mistake(
        "You use 10000 whatever `base` is. Models with a long context are trained with a "
        "larger one.",
        concept="rope",
    ),
    "angles_in_low_precision": Mistake(
        "You compute angles in the dtype of x. bfloat16 has 8 bits: from 256 on neighbouring "
        "positions become the same number. Use float32 up to the cosine and sine.",
        concept="rope",
        variants=("frequencies_too", "positions_and_angles"),
    ),
}


def solve(
    x: Tensor,
    positions: Tensor,
    base: float = 10000.0,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """y: (b, h, n, d)."""
    n, d = x.shape[-2:]
    ids = {switch.partition(":")[0] for switch in mistakes}
    low = "angles_in_low_precision" in ids
    wide = x.dtype if low or x.dtype == torch.float64 else torch.float32
    fine = {"frequency_rises:in_float64", "angles_in_low_precision:positions_and_angles"}
    exact = torch.float64 if fine & mistakes else wide
    if "ignores_positions" in mistakes:
        positions = torch.arange(n)
    if "position_off_by_one:plus" in mistakes:
        positions = positions + 1
    elif "position_off_by_one:minus" in mistakes:
        positions = positions - 1
    if "ignores_base" in mistakes:
        base = 10000.0

    exponent = torch.arange(0, d, 2, dtype=exact) / d
    if "frequency_uses_i_not_2i" in mistakes:
        exponent = exponent / 2
    if "frequency_rises" not in ids:
        exponent = -exponent
    if not low:
        wide = exact
    angles = positions.to(wide)[:, None] * (base**exponent).to(wide)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    if "wrong_sign" in mistakes:
        sin = -sin

    if "mixed_conventions" in ids:
        return _mixed(x, cos, sin, "mixed_conventions:tables_of_halves" in mistakes)
    if "half_split_pairs" in mistakes:
        first, second = x[..., : d // 2], x[..., d // 2 :]
    else:
        first, second = x[..., 0::2], x[..., 1::2]
    across = second * sin
    turned = first * cos + (across if "no_minus" in mistakes else -across)
    other = first * sin + second * cos
    if "half_split_pairs" in mistakes or "halves_put_back" in mistakes:
        return torch.cat([turned, other], dim=-1)
    return torch.stack([turned, other], dim=-1).flatten(-2)


def _mixed(x: Tensor, cos: Tensor, sin: Tensor, tables_of_halves: bool) -> Tensor:
    """Each entry turned by a table that belongs to another pair; the rotation is that of
    neighbours with tables of halves, or the reverse."""
    if tables_of_halves:
        cos, sin = torch.cat([cos, cos], dim=-1), torch.cat([sin, sin], dim=-1)
        partner = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2)
    else:
        cos, sin = cos.repeat_interleave(2, dim=-1), sin.repeat_interleave(2, dim=-1)
        half = x.shape[-1] // 2
        partner = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + partner * sin
