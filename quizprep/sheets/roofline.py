"""The roofline: how fast work can be at most, by how many flops it does for each byte it reads.

The intensities are the answers of questions in the serving bank, so a library without them
has no such picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from quizprep.content.draws import parsed
from quizprep.content.library import Library
from quizprep.content.questions import Number
from quizprep.sheets.figures import Axis, Mark, Series
from quizprep.sheets.plots import Plot, rounded
from quizprep.sheets.prose import line

_MACHINE = {"tflops": Fraction(989), "bandwidth": Fraction("3.35")}
"""An H100 SXM: dense bf16 Tflop/s and TB/s, as NVIDIA's data sheet has them."""

_ATTENTION, _LATENT, _RIDGE = "serve-decode-intensity", "serve-mla-intensity", "serve-ridge-batch"
_SYMBOLS = {
    _ATTENTION: {"heads", "kv_heads"},
    _LATENT: {"heads"},
    _RIDGE: {"tflops", "bandwidth", "bits"},
}
_ROOF = "min(tflops, bandwidth * intensity)"
_SHARES = (1, 4, 16, 64, 256, 1024, 4096)
_SPEEDS = (1, 10, 100, 1000)


def roofline_plot(library: Library) -> Plot | None:
    """Prefill and decode under the roof of one machine; None without the questions."""
    asked = {name: _formula(library, name) for name in _SYMBOLS}
    if not all(asked.values()):
        return None
    # At the batch of the ridge the products with the weights do the ridge's flops a byte.
    ridge = _value(asked[_RIDGE], {**_MACHINE, "bits": 16})
    machine_ridge = _MACHINE["tflops"] / _MACHINE["bandwidth"]
    per_token = machine_ridge / ridge
    places = {
        "decode, MHA": _value(asked[_ATTENTION], {"heads": 64, "kv_heads": 64}),
        "decode, GQA 64/8": _value(asked[_ATTENTION], {"heads": 64, "kv_heads": 8}),
        "decode, weights, batch 32": 32 * per_token,
        "decode, MLA": _value(asked[_LATENT], {"heads": 128}),
        "prefill, 2048 tokens": 2048 * per_token,
    }
    marks = tuple(
        Mark(name, float(share), roof(share), hollow=name.startswith("prefill"))
        for name, share in places.items()
    )
    corners = (Fraction(_SHARES[0]), machine_ridge, Fraction(_SHARES[-1]))
    bend = tuple((float(share), roof(share)) for share in corners)
    at = rounded(float(machine_ridge))
    return Plot(
        title="Roofline with prefill and decode",
        description=(
            f"The roof rises with the flops a byte to the ridge at {at} and is flat from there. "
            "Decode lies on the slope, where bandwidth is the limit: "
            + "; ".join(_said(mark) for mark in marks if not mark.hollow)
            + ". Prefill lies on the flat part, where compute is: "
            + "; ".join(_said(mark) for mark in marks if mark.hollow)
            + "."
        ),
        caption=line(
            f"An example: {_MACHINE['tflops']} Tflop/s in bf16 and "
            f"{rounded(float(_MACHINE['bandwidth']))} TB/s (H100 SXM), so the ridge is at {at}. "
            "MHA, GQA and MLA (128 heads) are attention over the cache and do not depend on the "
            "batch; batch and prefill are the products with the weights in bf16, activations "
            "left out."
        ),
        formula=_ROOF,
        series=(Series("roof", bend),),
        x=Axis("flops per byte", _SHARES, lambda value: f"{value:g}"),
        y=Axis("Tflop/s", _SPEEDS, lambda value: f"{value:g}"),
        concepts=("roofline", "prefill-decode", "decode-bandwidth"),
        marks=marks,
    )


def roof(intensity: Fraction) -> float:
    """Tflop/s at most, at so many flops a byte."""
    return float(_value(_ROOF, {**_MACHINE, "intensity": intensity}))


def _said(mark: Mark) -> str:
    return f"{mark.name} at {rounded(mark.x)} with {rounded(mark.y)} Tflop/s"


def _formula(library: Library, name: str) -> str:
    _, question = library.questions.get(name, ("", None))
    if not isinstance(question, Number) or not parsed(question.answer).symbols <= _SYMBOLS[name]:
        return ""
    return question.answer


def _value(formula: str, values: Mapping[str, Fraction | int]) -> Fraction:
    return Fraction(parsed(formula).evaluate(values))
