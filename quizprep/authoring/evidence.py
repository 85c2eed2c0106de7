"""What was proved about every exercise, as a page of Markdown: `docs/evidence.md`.

The same content gives the same text; beside the versions of the libraries that were measured,
nothing depends on the clock or the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from quizprep import __version__
from quizprep.authoring.exercise_proof import SEEDS, Evidence
from quizprep.authoring.mutants import equivalents
from quizprep.authoring.published import measured_polynomial, published
from quizprep.content.library import Library
from quizprep.formula import leading_terms, parse, relation

_HEADER = """\
# Evidence

Made by `make evidence`, which is `quizprep check --mutants --answers tests/content/answers
--evidence docs/evidence.md`; do not edit it. {versions}; secret seeds {seeds}.

{scope}

- **Mistakes**: ways to make a known mistake, each graded like a learner's file, and each named
  as itself and as nothing else.
- **Pairs**: two mistakes at once. *Told apart*: both were named. *Alike*: together they give what
  fewer mistakes give, and those were named (listed below). *Unnamed*: they fail, and several
  explanations fit, so none is given.
- **Mutants**: small changes of the solution's code. *Killed*: the grader does not pass it.
  *Equivalent*: it passes, and below stands why it should. *Survived*: it passes, and nobody knows
  why; there must be none.
"""

_COSTS = """\
## Measured and published costs

What a paper says an algorithm costs, in the symbols of the exercise, beside what its solution was
measured to cost: an exact formula, fitted to readings over a grid of sizes. Both growths are
compared, in both directions, under the relations between sizes that the exercise or the source
takes for granted; where the source only bounds the reading (at most), in one direction.
`exercises/published.yaml` holds the published side, and every `quizprep check` compares.
"""


def evidence_text(library: Library, evidence: Sequence[Evidence], evaluation: str = "") -> str:
    """The whole page, for exercises proved with pairs and mutants, in alphabetical order.

    evaluation  the section on open answers, if they were measured
    """
    proved = sorted(evidence, key=lambda each: each.exercise)
    missing = [name for name in library.exercise_ids if name not in {e.exercise for e in proved}]
    scope = f"All {len(proved)} exercises."
    if missing:
        scope = f"{len(proved)} exercises; these were left out: {', '.join(missing)}."
    versions = ", ".join(
        [
            f"quizprep {__version__}",
            *(f"{name} {version(name)}" for name in ("torch", "numpy", "triton")),
        ]
    )
    header = _HEADER.format(versions=versions, seeds=" and ".join(map(str, SEEDS)), scope=scope)
    parts = [header, "\n".join(_summary(proved)) + "\n", costs_text(library)]
    parts += [evaluation] if evaluation else []
    parts += ["\n".join(_details(library, each)) + "\n" for each in proved]
    return "\n".join(parts)


def with_section(page: str, section: str) -> str:
    """The page with one section replaced, found by its heading, or added after the costs."""
    heading = section.partition("\n")[0]
    parts = re.split(r"(?m)^(?=## )", page)
    names = [part.partition("\n")[0] for part in parts]
    if heading in names:
        parts[names.index(heading)] = f"{section}\n"
    else:
        behind = names.index(_COSTS.partition("\n")[0]) + 1 if len(parts) > 1 else 1
        parts.insert(behind, f"{section}\n")
    return "".join(parts).rstrip("\n") + "\n"


def costs_text(library: Library) -> str:
    """The section that compares measured with published costs; nothing is graded for it."""
    lines = [
        "| exercise | meter | source | published | under | measured growth | measured |",
        "|---|---|---|---|---|---|---|",
    ]
    notes = []
    for entry in published(library):
        exercise = library.exercise(entry.exercise)
        order = list(exercise.spec.contract.sizes)
        relations = (*exercise.spec.contract.where, *entry.where)
        where = tuple(relation(text) for text in relations)
        growth = leading_terms(measured_polynomial(exercise, entry.meter), where).text(order)
        said = parse(entry.growth).text.replace(" ", "")
        cells = [
            entry.exercise,
            entry.meter,
            entry.source,
            ("at most " if entry.at_most else "") + f"`{said}`",
            ", ".join(f"`{text}`" for text in relations),
            f"`{growth}`",
            f"`{exercise.measured[entry.meter]}`",
        ]
        lines.append(_row(cells))
        source = library.sources[entry.source]
        notes.append(
            f"- {entry.exercise}, {entry.meter}: {source.authors} ({source.year}), {entry.says}."
        )
    return "\n".join([_COSTS, *lines, "", *notes, ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _summary(proved: Sequence[Evidence]) -> Iterator[str]:
    yield "| exercise | mistakes | told apart | alike | unnamed | killed | equivalent | survived |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    rows = [(each.exercise, _counts(each)) for each in proved]
    rows.append(("**all**", [sum(column) for column in zip(*(c for _, c in rows), strict=True)]))
    for name, counts in rows:
        yield _row([name, *map(str, counts)])


def _counts(evidence: Evidence) -> list[int]:
    assert evidence.mutants is not None
    return [
        evidence.singles,
        evidence.told_apart,
        len(evidence.alike),
        len(evidence.unnamed),
        evidence.mutants.killed,
        evidence.mutants.equivalent,
        len(evidence.mutants.survived),
    ]


def _details(library: Library, evidence: Evidence) -> Iterator[str]:
    exercise = library.exercise(evidence.exercise)
    yield f"## {evidence.exercise}: {exercise.spec.title}"
    yield ""
    yield from (f"- {meter} = `{formula}`" for meter, formula in evidence.formulas.items())
    if evidence.alike:
        yield from ("", "Alike:", "")
        yield from (f"- {pair}" for pair in evidence.alike)
    if evidence.unnamed:
        yield from ("", "Unnamed:", "")
        yield from (f"- {pair}" for pair in evidence.unnamed)
    listed = equivalents(exercise)
    if listed:
        yield from ("", "Equivalent mutants:", "")
        yield from (f"- `{e.inside}`: `{e.change}`; {e.because}" for e in listed)
    if evidence.mutants is not None and evidence.mutants.survived:
        yield from ("", "Survived:", "")
        yield from (f"- line {m.line}: `{m.change}`" for m in evidence.mutants.survived)
