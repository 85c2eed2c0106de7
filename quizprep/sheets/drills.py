"""An exercise as a sheet shows it: what it costs at most, and how to begin."""

from __future__ import annotations

from collections.abc import Mapping

from quizprep.content.draws import parsed
from quizprep.content.exercises import Limit as LimitSpec
from quizprep.content.library import Exercise
from quizprep.formula.latex import growth_latex, latex
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
            _limit(meter, limit, costs.get(meter, ""))
            for meter, limit in spec.contract.limits().items()
        ),
        hints=len(spec.hints),
    )


def _limit(meter: str, limit: LimitSpec, measured: str) -> Limit:
    phase, _, kind = meter.rpartition(".")
    name = f"{_METERS[kind]} of {phase}" if phase else _METERS[kind]
    says = [f"at most {limit.budget:g} times the solution"] if limit.budget is not None else []
    bound = growth_latex(parsed(limit.growth)) if limit.growth is not None else ""
    if limit.exact is not None:
        bound = latex(parsed(limit.exact))
        says.insert(0, "exactly")
    own = latex(parsed(measured)) if measured else ""
    return Limit(name, bound, "; ".join(says), own)
