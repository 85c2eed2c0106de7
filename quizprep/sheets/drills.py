"""An exercise as a sheet shows it: what it costs at most, and how to begin."""

from __future__ import annotations

from collections.abc import Mapping

from quizprep.content.exercises import Limit as LimitSpec
from quizprep.content.library import Exercise
from quizprep.meter import Meter
from quizprep.sheets import formula_tex
from quizprep.sheets.model import Drill, Limit

_METERS = {
    "flops": "flops",
    "peak_bytes": "working memory",
    "held_bytes": "memory kept",
    "moved_bytes": "bytes moved",
    "calls": "calls",
}


def drill(exercise: Exercise, costs: Mapping[str, str]) -> Drill:
    """The exercise's line on a sheet, with the costs of its solution by meter, where known."""
    spec = exercise.spec
    return Drill(
        id=exercise.id,
        title=spec.title,
        level=spec.level.value,
        minutes=spec.minutes,
        runtime=spec.runtime.value,
        limits=tuple(
            _limit(meter, limit, costs.get(str(meter), ""))
            for meter, limit in spec.contract.limits().items()
        ),
        hints=len(spec.hints),
    )


def _limit(meter: Meter, limit: LimitSpec, measured: str) -> Limit:
    name = f"{_METERS[meter.kind]} of {meter.phase}" if meter.phase else _METERS[meter.kind]
    says = [f"at most {limit.budget:g} times the solution"] if limit.budget is not None else []
    latex = formula_tex.growth(limit.growth) if limit.growth is not None else ""
    if limit.exact is not None:
        latex = formula_tex.symbolic(limit.exact)
        says.insert(0, "exactly")
    own = formula_tex.symbolic(measured) if measured else ""
    return Limit(name, latex, "; ".join(says), own)
