"""A verdict as JUnit XML, for programs that collect test results."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from quizprep.grading.verdict import Status, Verdict
from quizprep.text import printable

_JUNIT = {"fail": ("failure", "failures"), "error": ("error", "errors"), "skip": ("skipped",) * 2}
"""By status, the element inside a test case, and the attribute of the suite that counts it."""


def to_junit(verdict: Verdict) -> str:
    """JUnit XML: a test suite with a test case for each stage and each correctness case."""
    suite = ElementTree.Element("testsuite", name=f"quizprep.{verdict.exercise}")
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for name, status, detail in _junit_cases(verdict):
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"quizprep.{verdict.exercise}", name=name
        )
        counts["tests"] += 1
        if status in _JUNIT:
            tag, counter = _JUNIT[status]
            counts[counter] += 1
            attributes = {} if status == "skip" else {"message": detail}
            ElementTree.SubElement(case, tag, attributes)
    if verdict.mistakes:
        text = "\n".join(f"{mistake.id}: {mistake.says}" for mistake in verdict.mistakes)
        ElementTree.SubElement(suite, "system-out").text = text
    for name, count in counts.items():
        suite.set(name, str(count))
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
    return printable(text, keep="\n")


def _junit_cases(verdict: Verdict) -> Iterator[tuple[str, Status, str]]:
    """The name, status and details of each test case."""
    for stage in verdict.stages:
        if stage.name == "diagnosis":
            continue
        reasons = (r.message for r in stage.readings if r.status == "fail" and r.message)
        yield stage.name, stage.status, stage.message or next(reasons, "")
        for number, case in enumerate(stage.cases):
            yield f"{stage.name}[{number}: {case.described()}]", case.status, case.message
        for reading in stage.readings:
            name = f"{stage.name}[{reading.meter}]"
            yield name, reading.status, reading.message or reading.formula
