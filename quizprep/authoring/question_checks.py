"""Checks of one question that its type cannot express: formulas, draws, traps, texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from quizprep import maths
from quizprep.authoring.question_draws import every_draw, gap_problems, gaps
from quizprep.content.draws import (
    admissible,
    answer_value,
    apart,
    parsed,
    same_growth,
    trap_values,
)
from quizprep.content.questions import (
    Choice,
    Cloze,
    Code,
    Growth,
    Number,
    Open,
    Order,
    Question,
    Trap,
)
from quizprep.content.yaml_tree import Finding, Steps
from quizprep.formula import FormulaError, Polynomial, leading_terms, relation

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORD = re.compile(r"[a-z0-9]+([_^/.+=-][a-z0-9]+)*\*?")
_PREFIXED = frozenset(
    [f"{p}B" for p in ("", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti")]
    + [f"{p}flop{s}" for p in ("", "k", "M", "G", "T", "P") for s in ("", "s")]
    + ["GFLOP", "TFLOP", "PFLOP"]
)
UNITS = _PREFIXED | {"", "%", "token", "tokens", "s", "ms", "us", "ns"}
"""What ``unit`` may hold; also a rate of two of them, such as ``GB/s`` or ``flops/B``."""


def question_findings(question: Question) -> Iterator[Finding]:
    """Everything that is wrong with a question on its own."""
    yield from _given(question)
    yield from _show(question)
    yield from _texts(question)
    match question:
        case Number():
            yield from _number(question)
        case Growth():
            yield from _growth(question)
        case Choice():
            yield from _choice(question)
        case Order():
            yield from _order(question)
        case Cloze():
            yield from _cloze(question)
        case Code():
            yield from _text_traps(question.traps, [question.prints])
        case Open():
            yield from _open(question)


def shown_texts(question: Question) -> Iterator[tuple[Steps, str]]:
    """Every text that ``fill`` is applied to, with its field."""
    yield ("ask",), question.ask
    yield ("why",), question.why
    yield ("hint",), question.hint
    match question:
        case Choice(options=options):
            for place, option in enumerate(options):
                yield ("options", place, "text"), option.text
                yield ("options", place, "says"), option.says
        case Order(listed=steps):
            for place, step in enumerate(steps):
                yield ("steps", place), step
        case Open(points=points, wrong=wrong, model=model):
            yield ("model",), model
            for place, point in enumerate(points):
                yield ("points", place, "says"), point.says
            for place, claim in enumerate(wrong):
                yield ("wrong", place, "says"), claim.says
        case Cloze(accept=accept, traps=traps):
            for place, text in enumerate(accept):
                yield ("accept", place), text
            for place, trap in enumerate(traps):
                yield ("traps", place, "gives"), trap.gives
        case Growth(symbols=symbols):
            for name, meaning in symbols.items():
                yield ("symbols", name), meaning
    if not isinstance(question, Choice | Order | Open):
        for place, trap in enumerate(question.traps):
            yield ("traps", place, "says"), trap.says


def _given(question: Question) -> Iterator[Finding]:
    used = {name for _, text in shown_texts(question) for name in gaps(text)}
    used |= {name for _, text in _formulas(question) for name in _symbols(text)}
    for name, values in question.given.items():
        if not _NAME.fullmatch(name):
            yield ("given", name), "is not a parameter name; write lower-case letters, digits and _"
        elif name not in used:
            yield ("given", name), f"is used nowhere; write {{{name}}} in a text, or remove it"
        yield from _repeats(values, ("given", name), "is listed twice; list each value once")
        for place, value in enumerate(values):
            if isinstance(value, str) and re.search(r"[${}]", value):
                yield ("given", name, place), "holds $, { or }; a drawn value is plain text"


def _formulas(question: Question) -> Iterator[tuple[Steps, str]]:
    """Every formula over drawn values with its field, those of ``show`` first."""
    for name, text in question.show.items():
        yield ("show", name), text
    if isinstance(question, Number):
        yield ("answer",), question.answer
        for place, trap in enumerate(question.traps):
            yield ("traps", place, "gives"), trap.gives


def _symbols(text: str) -> frozenset[str]:
    try:
        return parsed(text).symbols
    except FormulaError:
        return frozenset()


def _show(question: Question) -> Iterator[Finding]:
    """Check the names, the syntax and the symbols of the formulas."""
    words = {n for n, vs in question.given.items() if any(isinstance(v, str) for v in vs)}
    known = set(question.given) - words
    for name in question.show:
        if not _NAME.fullmatch(name):
            yield ("show", name), "is not a name; write lower-case letters, digits and _"
        if name in question.given:
            yield ("show", name), "is a parameter of given too; rename one of them"
    for steps, text in _formulas(question):
        yield from _formula(steps, text, known, words)
        if steps[0] == "show":
            known.add(str(steps[1]))


def _formula(steps: Steps, text: str, known: set[str], words: set[str]) -> Iterator[Finding]:
    try:
        symbols = parsed(text).symbols
    except FormulaError as error:
        yield steps, f"{error}; write a formula such as 2 * layers * d"
        return
    for name in sorted(symbols - known):
        if name in words:
            yield steps, f"uses {name}, whose values are text; use a parameter that is a number"
        else:
            listed = ", ".join(sorted(known)) or "none is defined"
            yield steps, f"uses {name}, which is not in given or show ({listed})"


def _texts(question: Question) -> Iterator[Finding]:
    for steps, text in shown_texts(question):
        for message in (*gap_problems(text, question), *maths.problems(text)):
            yield steps, message


def _number(question: Number) -> Iterator[Finding]:
    if not all(part in UNITS for part in question.unit.split("/", 1)):
        listed = ", ".join(sorted(UNITS - {""}))
        yield ("unit",), f"is {question.unit!r}; write one of: {listed}, or a rate of two of them"
    try:
        yield from _draws(question)
    except FormulaError as error:
        if not any(True for _ in _show(question)):
            yield ("answer",), f"or a trap cannot be computed in some draw: it {error}"


def _draws(question: Number) -> Iterator[Finding]:
    """Compare traps with the answer and with each other, over every draw."""
    draws = fair = 0
    equal: Counter[int] = Counter()
    twins: Counter[tuple[int, int]] = Counter()
    close: dict[int, str] = {}
    for values in every_draw(question):
        draws += 1
        fair += admissible(question, values)
        right = answer_value(question, values)
        wrong = trap_values(question, values)
        for place, value in enumerate(wrong):
            equal[place] += value == right
            if value != right and not apart(question, value, right):
                shown = ", ".join(f"{name} = {item}" for name, item in values.items())
                close.setdefault(place, shown or "the only draw")
        for (i, one), (j, other) in combinations(enumerate(wrong), 2):
            twins[i, j] += not apart(question, one, other)
    for place, shown in close.items():
        message = f"lies within the tolerance of {question.tolerance} around the answer ({shown})"
        yield ("traps", place, "gives"), f"{message}; narrow the tolerance or change the values"
    if 2 * fair >= draws:
        return
    for place, count in equal.items():
        if count:
            message = f"equals the answer in {count} of {draws} draws"
            yield ("traps", place, "gives"), f"{message}; change the values or the trap"
    for (first, second), count in twins.items():
        if count:
            message = f"equals traps[{first}] in {count} of {draws} draws"
            yield ("traps", second, "gives"), f"{message}; change the values, or remove one of them"


def _growth(question: Growth) -> Iterator[Finding]:
    known = set(question.symbols)
    if not all(_NAME.fullmatch(name.lower()) for name in {*known, *question.also}):
        yield ("symbols",), "are names such as n, d or kv_heads"
    faults = [*_also(question)]
    for place, text in enumerate(question.where):
        try:
            sides = relation(text)
        except FormulaError as error:
            faults.append((("where", place), f"{error}"))
            continue
        names = {name for side in (sides.small, sides.large) for name, _ in side}
        faults += [
            (("where", place), f"uses {name}, which is not in symbols")
            for name in sorted(names - known)
        ]
    fields: list[tuple[Steps, str]] = [(("answer",), question.answer)]
    fields += [(("traps", i, "gives"), trap.gives) for i, trap in enumerate(question.traps)]
    expanded: dict[Steps, Polynomial] = {}
    for steps, text in fields:
        try:
            formula = parsed(text)
            expanded[steps] = formula.expand()
        except FormulaError as error:
            faults.append((steps, f"{error}; write a growth such as n**2 * d"))
            continue
        faults += [
            (steps, f"uses {name}, which is not in symbols ({', '.join(sorted(known))})")
            for name in sorted(formula.symbols - known)
        ]
    yield from faults
    if faults:
        return
    answer = expanded[("answer",)]
    tidy = leading_terms(answer, [relation(text) for text in question.where])
    if tidy != answer:
        yield ("answer",), f"holds constants or lower-order terms; write {tidy.text()}"
    for place, trap in enumerate(question.traps):
        if same_growth(question, trap.gives):
            message = "grows like the answer; constants and lower-order terms need no trap"
            yield ("traps", place, "gives"), message


def _also(question: Growth) -> Iterator[Finding]:
    """Faults of the names that replies may use besides the symbols."""
    for name, text in question.also.items():
        if name in question.symbols:
            yield ("also", name), "is in symbols too; keep one of them"
        try:
            unknown = sorted(parsed(text).symbols - set(question.symbols))
            parsed(text).expand()
        except FormulaError as error:
            yield ("also", name), f"{error}; write a product such as D/h"
            continue
        for other in unknown:
            yield ("also", name), f"uses {other}, which is not in symbols"


def _choice(question: Choice) -> Iterator[Finding]:
    rights = [option.right for option in question.options]
    if not any(rights):
        yield ("options",), "has no right option; mark one with 'right: true'"
    if all(rights):
        yield ("options",), "has no wrong option; add one that tempts"
    for place, option in enumerate(question.options):
        if not option.right and not option.says.strip():
            yield ("options", place, "says"), "is missing; say why this option is wrong"
    texts = [option.text for option in question.options]
    yield from _repeats(texts, "options", "has the text of another option")


def _order(question: Order) -> Iterator[Finding]:
    if not 3 <= len(question.listed) <= 8:
        yield ("steps",), f"holds {len(question.listed)} steps; write 3 to 8"
    yield from _repeats(question.listed, "steps", "is the same step as another; merge them")


def _cloze(question: Cloze) -> Iterator[Finding]:
    if len(re.findall(r"_{3,}", question.ask)) != 1:
        yield ("ask",), "needs exactly one gap, written ___"
    yield from _text_traps(question.traps, question.accept)


def _text_traps(traps: Sequence[Trap], right: Sequence[str]) -> Iterator[Finding]:
    accepted = {_spoken(text) for text in right}
    for place, trap in enumerate(traps):
        if _spoken(trap.gives) in accepted:
            yield ("traps", place, "gives"), "is a right answer too; remove it from one of the two"
    yield from _repeats([_spoken(trap.gives) for trap in traps], "traps", "repeats another trap")


def _open(question: Open) -> Iterator[Finding]:
    ids = [point.id for point in question.points]
    yield from _repeats(ids, "points", "has the id of another point; ids differ in a question")
    wordings: list[tuple[Steps, str]] = [
        (("points", i, "accept", j), text)
        for i, point in enumerate(question.points)
        for j, text in enumerate(point.accept)
    ]
    wordings += [
        (("wrong", i, "accept", j), text)
        for i, claim in enumerate(question.wrong)
        for j, text in enumerate(claim.accept)
    ]
    seen: set[str] = set()
    for steps, text in wordings:
        slots = [slot.removeprefix("!") for slot in text.split()]
        odd = [w for slot in slots for w in slot.split("|") if not _WORD.fullmatch(w)]
        if odd:
            advice = "write lower-case words, | between alternatives, * at an end"
            yield steps, f"holds {odd[0]!r}; {advice}"
        elif all(slot.startswith("!") for slot in text.split()):
            yield steps, "only excludes words; write first what is said"
        if text in seen:
            yield steps, "is accepted twice in this question; keep one"
        seen.add(text)


def _repeats(items: Sequence[object], owner: str | Steps, message: str) -> Iterator[Finding]:
    steps = (owner,) if isinstance(owner, str) else owner
    seen: set[object] = set()
    for place, item in enumerate(items):
        if item in seen:
            yield (*steps, place), message
        seen.add(item)


def _spoken(text: str) -> str:
    return " ".join(text.lower().split())
