"""Is a measured cost allowed? Formulas are compared, in every symbol; nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quizprep.content.exercises import Contract, Limit
from quizprep.formula import (
    Exponents,
    Polynomial,
    Relation,
    dominated,
    faster_direction,
    leading_terms,
    parse,
    relation,
)
from quizprep.grading.verdict import NamedMistake, ReadingVerdict, WitnessVerdict
from quizprep.grading.wire import ComparisonResult, CostResult, Reading, WitnessResult

EXCESS = 0.2
"""A measured exponent beyond the contract's that still passes where no formula fits."""

SMALL_BYTES = 4096
"""A reading as small as this meets every budget."""

WORK_FLOOR = 4
"""The meters must see at least the solution's work divided by this, at the largest size."""

WITNESS_FACTOR = 1.6
WITNESS_SLACK = 3 << 20
"""Resident growth may exceed the meters by this: pages, fragments, the interpreter's own."""

SENDING_COPIES = 4
"""To send outputs, they are copied, written as safetensors and framed."""

KEPT_SLACK = 8 << 20
"""What a process may keep between calls: its modules, allocator and caches of the library."""

WORK_FACTOR = 20
WORK_SLACK = 1.0
"""Processor time of the watched call may be so many times the solution's, and seconds more.
Honest code is up to ten times as slow for being written as loops: this is no clock that tells
good from better, it finds work of another kind."""

WRITTEN_SLACK = 1 << 20
"""Bytes in files or in shared memory outside the inputs that pass."""

EXTRAPOLATION = 2
"""At the witness's size the meters may read so many times what the contract's growth makes of
their reading at the largest metered size."""

_UNITS = {"flops": "flops", "elementwise": "operations", "calls": "calls"}


def _kind(reading: Reading) -> str:
    """The meter of a reading without its phase: ``peak_bytes`` of ``append.peak_bytes``."""
    return reading.meter.rpartition(".")[2]


def polynomial(reading: Reading) -> Polynomial | None:
    """The fitted formula of a reading."""
    if reading.terms is None:
        return None
    return Polynomial.of(
        {_monomial(term.powers): Fraction(term.top, term.bottom) for term in reading.terms}
    )


def _monomial(powers: Mapping[str, int]) -> Exponents:
    return tuple(sorted(powers.items()))


def judge_readings(cost: CostResult, contract: Contract) -> tuple[ReadingVerdict, ...]:
    """Each meter held against its limit; the comparisons at the end."""
    limits = contract.limits()
    where = tuple(relation(text) for text in contract.where)
    by_name = {reading.meter: reading for reading in cost.readings}
    verdicts = []
    for reading in cost.readings:
        limit = limits[reading.meter.replace("elementwise", "flops")]
        verdicts.append(_judge(reading, limit, contract, where, by_name))
    verdicts += [
        _judge_comparison(result, spec.at_most, spec.says)
        for result, spec in zip(cost.comparisons, contract.compare, strict=True)
    ]
    return tuple(verdicts)


def _judge(
    reading: Reading,
    limit: Limit,
    contract: Contract,
    where: Sequence[Relation],
    by_name: Mapping[str, Reading],
) -> ReadingVerdict:
    order = list(contract.sizes)
    found = polynomial(reading)
    required = limit.exact or limit.growth or ""
    if found is None and not reading.values:
        return ReadingVerdict(
            meter=reading.meter, status="skip", required=required, message=reading.note
        )
    if found is None:
        formula, growth = "", _measured(reading, order)
    else:
        formula, growth = found.text(order), leading_terms(found, where).text(order)
    problems = [
        *_growth_problems(reading, found, limit, where, order),
        *_budget_problems(reading, limit, by_name),
        *_floor_problems(reading, by_name),
    ]
    message = "; ".join(problems)
    if not message and found is None:
        message = "no exact formula predicts all readings; this is the measured growth"
    return ReadingVerdict(
        meter=reading.meter,
        status="fail" if problems else "pass",
        formula=formula,
        growth=growth,
        required=parse(required).text if required else "",
        message=message,
        largest=reading.largest,
        solution=reading.solution_largest,
    )


def _measured(reading: Reading, order: Sequence[str]) -> str:
    parts = [
        name if abs(slope - 1) < 0.05 else f"{name}^{slope:.2g}"
        for name, slope in ((s, reading.slopes.get(s, 0.0)) for s in order)
        if abs(slope) >= 0.05
    ]
    return "about " + ("*".join(parts) or "1")


def _growth_problems(
    reading: Reading,
    found: Polynomial | None,
    limit: Limit,
    where: Sequence[Relation],
    order: Sequence[str],
) -> list[str]:
    if limit.exact is not None and _kind(reading) != "elementwise":
        exact = parse(limit.exact).expand()
        if found is None:
            return [f"no exact formula; the contract asks for exactly {exact.text(order)}"]
        if found != exact:
            return [f"the contract asks for exactly {exact.text(order)}"]
        return []
    if limit.growth is None:
        return []
    bound = parse(limit.growth).expand()
    if found is None:
        return _measured_problems(reading, where, order)
    bounds = [monomial for monomial, _ in bound.terms]
    for monomial, _ in found.terms:
        direction = faster_direction(monomial, bounds, where)
        if direction is not None:
            return [_faster(monomial, bound, direction, order)]
    return []


def _faster(
    monomial: Exponents, bound: Polynomial, direction: Mapping[str, Fraction], order: Sequence[str]
) -> str:
    if not direction:
        return "it is not 0, which the contract asks for"
    term = Polynomial(((monomial, Fraction(1)),)).text(order)
    names = " and ".join(name for name in order if name in direction)
    when = f"{names} grows" if len(direction) == 1 else f"{names} grow together"
    return f"{term} grows faster than the contract's {bound.text(order)} when {when}"


def _measured_problems(
    reading: Reading, where: Sequence[Relation], order: Sequence[str]
) -> list[str]:
    """Directions in which the measured exponent exceeds the contract's.

    A symbol that a relation keeps below others (window <= n) cannot grow without them, so it
    is looked at together with them.
    """
    above = {name: {name} for name in order}
    for pair in where:
        for small, _ in pair.small:
            above.setdefault(small, {small}).update(large for large, _ in pair.large)
    return [
        f"it grows faster than allowed in {' and '.join(n for n in order if n in names)}"
        for names in above.values()
        if sum(reading.excess.get(name, 0.0) for name in names) > EXCESS
    ]


def _budget_problems(reading: Reading, limit: Limit, by_name: Mapping[str, Reading]) -> list[str]:
    if limit.budget is None or reading.solution_largest is None or _kind(reading) == "elementwise":
        return []
    used, own = reading.largest, reading.solution_largest
    other = by_name.get(reading.meter.replace("flops", "elementwise"))
    if _kind(reading) == "flops" and other is not None:
        # Products may be written as element-wise work, so both count together.
        used, own = used + other.largest, own + (other.solution_largest or 0)
    allowed = limit.budget * max(own, SMALL_BYTES)
    if used <= allowed:
        return []
    unit = _UNITS.get(_kind(reading), "bytes")
    if own == 0:
        return [f"{used:,} {unit} at the largest size, where the solution takes none"]
    return [
        f"{used / own:.2f} times the solution's {own:,} {unit} at the largest size; "
        f"{limit.budget:g} times is allowed"
    ]


def _floor_problems(reading: Reading, by_name: Mapping[str, Reading]) -> list[str]:
    """Work that the meters should have seen: whatever is hidden from them, answers need it."""
    if _kind(reading) != "flops" or reading.solution_largest is None:
        return []
    other = by_name.get(reading.meter.replace("flops", "elementwise"))
    parts = [reading] if other is None else [reading, other]
    seen = sum(part.largest for part in parts)
    own = sum(part.solution_largest or 0 for part in parts)
    if seen * WORK_FLOOR >= own:
        return []
    return [
        f"the meters saw {seen:,} operations at the largest size, where the solution takes "
        f"{own:,}: your code works where they cannot see it"
    ]


def _judge_comparison(result: ComparisonResult, at_most: float, says: str) -> ReadingVerdict:
    share = result.at / max(result.against, 1)
    return ReadingVerdict(
        meter=result.meter,
        status="pass" if share <= at_most else "fail",
        required=f"at most {at_most:g} of {result.against:,}",
        growth=f"{share:.2f} of {result.against:,}",
        message="" if share <= at_most else says,
        largest=result.at,
    )


def judge_witness(cost: CostResult, contract: Contract) -> WitnessVerdict | None:
    """Does the process confirm what its meters say?"""
    witness = cost.witness
    if witness is None:
        return None
    if not witness.available:
        return WitnessVerdict(
            status="skip", message="resident memory cannot be read from outside on this system"
        )
    # The reading was made in the learner's process: more than its own readings at smaller
    # sizes lead one to expect is no excuse for the growth.
    believed = min(witness.metered, _expected_peak(cost, contract, witness.params))
    return WitnessVerdict(
        status="fail" if (message := _hidden(witness, believed)) else "pass",
        resident=witness.resident,
        metered=believed + witness.outputs,
        message=message,
    )


def _hidden(witness: WitnessResult, believed: int) -> str:
    """What the process did that its meters did not see, in words; "" if nothing."""
    at = ", ".join(f"{name}={value}" for name, value in witness.params.items())
    metered = believed + witness.outputs
    sending = metered + SENDING_COPIES * witness.outputs
    if witness.written > WRITTEN_SLACK:
        return (
            f"your code wrote {mebibytes(witness.written)} into files or shared memory: what it "
            "works with must be where the meters see it"
        )
    if witness.kept > KEPT_SLACK:
        return (
            f"before the call ({at}) your code had kept {mebibytes(witness.kept)} since it was "
            "loaded: working memory made beforehand is memory all the same"
        )
    worked, own = witness.worked / 1e9, witness.solution_worked / 1e9
    if worked > WORK_FACTOR * own + WORK_SLACK:
        return (
            f"the process worked for {worked:.1f} s at {at}, where the solution takes {own:.2f} s: "
            "your code works where the meters cannot see it"
        )
    for grown, explained in ((witness.resident, metered), (witness.sending, sending)):
        if grown > WITNESS_FACTOR * explained + WITNESS_SLACK:
            return (
                f"the meters saw {mebibytes(explained)}, but the process grew by "
                f"{mebibytes(grown)} ({at}): your code uses memory that the meters cannot see"
            )
    return ""


def _expected_peak(cost: CostResult, contract: Contract, at: Mapping[str, object]) -> int:
    """Bytes at the witness's size: what the fitted formula gives, or what the reading at the
    largest metered size becomes if it grows as the contract allows. No bound where the contract
    says nothing of the peak."""
    limit = contract.peak_bytes
    reading = next((r for r in cost.readings if r.meter == "peak_bytes"), None)
    growth = limit.growth or limit.exact if limit is not None else None
    if growth is None or reading is None:
        return 1 << 62
    there = {name: int(str(at[name])) for name in contract.sizes}
    found = polynomial(reading)
    if found is not None:
        return int(EXTRAPOLATION * max(float(found.evaluate(there)), SMALL_BYTES))
    bound = parse(growth).expand()
    here = {name: max(values) for name, values in contract.sizes.items()}
    # A symbol that is smaller there need not make the peak smaller.
    least = {name: max(size, there[name]) for name, size in here.items()}
    scale = float(bound.evaluate(least)) / float(bound.evaluate(here))
    return int(EXTRAPOLATION * max(reading.largest, SMALL_BYTES) * scale)


def mebibytes(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size / (1 << 20):.1f} MiB"


def name_cost_mistakes(cost: CostResult, contract: Contract) -> tuple[NamedMistake, ...]:
    """The mistakes of cost whose whole signature the readings have."""
    where = tuple(relation(text) for text in contract.where)
    found = {reading.meter: polynomial(reading) for reading in cost.readings}
    named = {mistake.id: mistake for mistake in cost.named}
    return tuple(
        NamedMistake(id=name, says=named[name].says, concept=named[name].concept)
        for name, signature in cost.signatures.items()
        if all(_matches(found.get(meter), text, where) for meter, text in signature.items())
    )


def _matches(found: Polynomial | None, text: str, where: Sequence[Relation]) -> bool:
    if found is None:
        return False
    if not text.startswith("~"):
        return found == parse(text).expand()
    wanted = parse(text[1:]).expand()
    return dominated(found, wanted, where) and dominated(wanted, found, where)
