"""Checks of the chains of a bank: that they lead somewhere, deeper, and never in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from quizprep.content.questions import Bank, Chain, Level
from quizprep.content.yaml_tree import Finding

_RANKS = {level: rank for rank, level in enumerate(Level)}
MOST = 5
"""How many questions a chain may hold, easier ones included."""


def chain_findings(
    bank: Bank, levels: Mapping[str, Level], times: Mapping[str, int]
) -> Iterator[Finding]:
    """What is wrong with a bank's chains.

    levels  the level of every question of all banks
    times   how often each id of a chain is used in all banks
    """
    own = {question.id for question in bank.questions}
    for place, chain in enumerate(bank.chains):
        where = ("chains", place)
        if times[chain.id] > 1:
            yield (*where, "id"), "is the id of another chain; ids differ over all banks"
        if not own & {step.ask for step in chain.steps}:
            yield (*where, "steps"), "asks nothing of this bank; move the chain to another one"
        yield from (((*where, "steps"), message) for message in _faults(chain, levels))


def _faults(chain: Chain, levels: Mapping[str, Level]) -> Iterator[str]:
    asked = [name for step in chain.steps for name in (step.ask, step.back) if name is not None]
    for name in dict.fromkeys(asked):
        if name not in levels:
            yield f"names {name}, which is in no bank"
        if asked.count(name) > 1:
            yield f"asks {name} twice; a chain asks each question once"
    if len(asked) > MOST:
        yield f"holds {len(asked)} questions; at most {MOST} are allowed"
    if all(step.back is None for step in chain.steps):
        yield "never goes back; give a step an easier question: 'back: ID'"
    if not all(name in levels for name in asked):
        return
    rank = {name: _RANKS[levels[name]] for name in asked}
    for before, after in pairwise(chain.steps):
        if rank[after.ask] < rank[before.ask]:
            yield f"goes from {before.ask} to {after.ask}, which is of a lower level"
    for step in chain.steps:
        if step.back is not None and rank[step.back] > rank[step.ask]:
            yield f"goes back from {step.ask} to {step.back}, which is of a higher level"
