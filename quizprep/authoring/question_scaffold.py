"""The text that a new question begins as, by kind: it loads, and says what has to be written."""

from __future__ import annotations

from collections.abc import Mapping

from quizprep.authoring.placeholders import MARK

KINDS = ("choice", "number", "order", "growth", "cloze", "code", "open")

_BANK = """\
format: 1
topic: {topic}
title: "{mark}: the topic's name for people"
template: >-
  {mark}: what you would say about the topic in 60 seconds.
questions:
"""

_BEGINS = """\
- id: {id}  # permanent once it was answered: rename it now or never
  kind: {kind}
  level: senior  # junior, senior or staff
  concepts: [todo-author]  # ids of concepts.yaml
"""

_ENDS = """\
  why: >-
    {mark}: why the answer is right, in a sentence or two.
  sources: [todo-author]  # ids of sources.yaml
  # hint: One sentence that helps without giving the answer away.
  # exercise: causal_mask  # what trains it
  # follow_ups: [another-id]  # what an interviewer asks next
"""

_MIDDLES = {
    "choice": """\
  ask: >-
    {mark}: the question. Mathematics is written $\\sqrt{{d}}$.
  options:  # two to eight; they are shuffled, and more than one may be right
    - text: >-
        {mark}: the right option
      right: true
    - text: >-
        {mark}: a wrong option that somebody would believe
      says: >-
        {mark}: why it is wrong
""",
    "number": """\
  ask: >-
    {mark}: the question, with the parameters in braces: {{n}} tokens.
  given:  # the values that a parameter is drawn from
    n: [1024, 4096]
  answer: 2 * n  # {mark}: a formula over given, in the base unit (bytes, flops, seconds)
  unit: KiB  # how it is asked and shown; leave it out for a plain number
  tolerance: 1%
  traps:  # wrong answers that have a reason, as formulas; none may equal the answer
    - gives: n
      says: >-
        {mark}: what was forgotten
""",
    "order": """\
  ask: >-
    {mark}: what has to be put in order.
  steps:  # three to eight, in the right order
    - >-
      {mark}: what comes first
    - >-
      {mark}: what comes second
    - >-
      {mark}: what comes last
""",
    "growth": """\
  ask: >-
    {mark}: what grows, and with what.
  symbols: {{n: tokens, d: head size}}
  # where: [d <= n]  # relations between symbols
  answer: n * n * d  # {mark}: the growth, without constants and lower terms
  traps:
    - gives: n * d
      says: >-
        {mark}: what was forgotten
""",
    "cloze": """\
  ask: >-
    {mark}: a sentence in which ___ is missing.
  accept:  # every filling that is right
    - >-
      {mark}: the filling
""",
    "code": """\
  ask: What does this print?
  snippet: |  # {mark}: it is run when content is checked
    print("{mark}")
  prints: |
    {mark}
""",
    "open": """\
  ask: >-
    {mark}: a question that is answered by speaking.
  points:  # two or more: what a listener ticks
    - id: first
      says: >-
        {mark}: the first point as a sentence
      # Each wording is a group of words near each other; | parts alternatives, * ends a stem.
      # The point's own sentence has to hold one of its wordings.
      accept: ["{mark} variance|spread grow*"]
    - id: second
      says: >-
        {mark}: the second point as a sentence
      accept: ["{mark} softmax saturat*"]
  # wrong:  # claims that take a point away
  #   - {{says: Why it is wrong., accept: [words of the claim]}}
  model: >-
    {mark}: a good answer, which has to cover every point.
""",
}


def new_bank(topic: str) -> str:
    """The head of a bank, to which questions are appended."""
    return _BANK.format(topic=topic, mark=MARK)


def new_question(kind: str, id: str) -> str:
    """A question of a kind, its first line a list item without indentation."""
    values: Mapping[str, str] = {"mark": MARK, "kind": kind, "id": id}
    return (_BEGINS + _MIDDLES[kind] + _ENDS).format_map(values)
