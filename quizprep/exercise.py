"""What the files of an exercise may import: the type that describes a mistake.

An exercise's ``mistakes.py`` defines ``MISTAKES: dict[str, Mistake]`` and one model of all of them,
``solve(*inputs, mistakes=frozenset())``, with a switch for each mistake, so that they combine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """A known wrong way to solve an exercise.

    says      the sentence that the learner reads: what the code does and why it is wrong
    concept   the concept in questions/concepts.yaml that it belongs to
    variants  several ways of making the mistake, if any; the switch is then ``"id:variant"``
              instead
              of ``"id"``, and the id is named when any variant gives the learner's output
    cost      for a mistake with right outputs but too high a cost: the formulas that identify it,
              by
              meter. A formula is compared exactly ("12*rows*cols") or, with a leading "~", as a
              growth
              ("~b*h*n*m"). Such a mistake is named by its cost.
    """

    says: str
    concept: str
    variants: tuple[str, ...] = ()
    cost: Mapping[str, str] = field(default_factory=dict)

    def switches(self, name: str) -> tuple[str, ...]:
        """The values for ``solve(mistakes=...)`` that switch on this mistake, whose id is
        ``name``."""
        return tuple(f"{name}:{variant}" for variant in self.variants) or (name,)
