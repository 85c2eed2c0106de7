"""What the files of an exercise may import: the type that describes a mistake.

``mistakes.py`` of an exercise defines ``MISTAKES: dict[str, Mistake]`` and one faulty model,
``solve(*inputs, mistakes=frozenset())``, with a switch per mistake so that several compose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """A known wrong way to solve an exercise.

    says      the sentence the learner reads: what the code does and why that is wrong
    concept   the concept in questions/concepts.yaml that it belongs to
    variants  ways in which people make it, where there are several; ``solve`` is then
              switched by ``"id:variant"`` instead of ``"id"``, and the id is named when any
              variant gives the learner's output
    cost      for a mistake that gives right outputs at a wrong price: the reading, by meter,
              that gives it away, as a formula compared exactly ("12*rows*cols") or, with a
              leading "~", as a growth ("~b*h*n*m"). Such a mistake is named by its cost.
    """

    says: str
    concept: str
    variants: tuple[str, ...] = ()
    cost: Mapping[str, str] = field(default_factory=dict)

    def switches(self, name: str) -> tuple[str, ...]:
        """The values that ``solve(mistakes=...)`` understands for this mistake called name."""
        return tuple(f"{name}:{variant}" for variant in self.variants) or (name,)
