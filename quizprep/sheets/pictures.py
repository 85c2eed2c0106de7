"""Which pictures a topic shows. What was not measured, or no longer counts, is not drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quizprep.content.curriculum import path_order
from quizprep.content.figures import Measured, fresh_costs, fresh_masks
from quizprep.content.library import Library
from quizprep.sheets.growth import flops_plot, memory_plot, traffic_plot
from quizprep.sheets.masks import MaskPicture
from quizprep.sheets.plots import Plot, kv_cache_plot
from quizprep.sheets.prose import line
from quizprep.sheets.roofline import roofline_plot

_MASKING = "masking"
"""The topic that shows every mask, whatever else it is about."""


def masks(topic: str, library: Library, kept: Mapping[str, Measured]) -> tuple[MaskPicture, ...]:
    """Masks on concepts of the topic, in the order in which exercises are taken."""
    own = {name for name, concept in library.concepts.items() if concept.topic == topic}
    return tuple(
        mask
        for mask in _all_masks(library, kept)
        if topic == _MASKING or own.intersection(mask.concepts)
    )


def plots(topic: str, library: Library, kept: Mapping[str, Measured]) -> tuple[Plot, ...]:
    """The curves of a topic; most have none."""
    if topic in ("kv-cache", "memory-footprint"):
        return (kv_cache_plot(),)
    found: list[Plot | None] = []
    if topic in ("complexity", "flash-attention", "kernels"):
        costs = {each.id: fresh_costs(each, kept) for each in library.exercises}
        kernels = topic == "kernels"
        found += [traffic_plot(costs)] if kernels else [memory_plot(costs), flops_plot(costs)]
    if topic == "serving":
        found.append(roofline_plot(library))
    return tuple(plot for plot in found if plot is not None)


def _all_masks(library: Library, kept: Mapping[str, Measured]) -> Iterator[MaskPicture]:
    for exercise in path_order(library.exercises):
        for picture, visible in fresh_masks(exercise, kept):
            yield MaskPicture(
                picture.title, line(picture.says), picture.concepts, exercise.id, visible
            )
