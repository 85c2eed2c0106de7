"""What depends on a version, a machine, a model or a study is registered with its condition."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml

from quizprep.authoring.question_checks import shown_texts
from quizprep.content.library import Library, shipped_root

LIBRARY = Library(shipped_root())
NAMES = re.compile(
    r"since (?:version|its release|release)|PyTorch|[HAB][12]00\b|Hopper|Blackwell|"
    r"suspect(?:s|ed)\b|Gemma|Llama|gpt-oss|DeepSeek|FlashAttention-[234]|NVFP4|Flamingo"
)
"""What a text names if it holds for some versions, machines or models only."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement of the banks with the condition under which it holds.

    checked  the year and month in which it was last compared with its sources
    """

    claim: str
    condition: str
    questions: tuple[str, ...]
    sources: tuple[str, ...]
    checked: str


CLAIMS = msgspec.convert(
    yaml.safe_load(Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8")),
    tuple[Claim, ...],
)


def test_claims_name_questions_and_sources_that_exist() -> None:
    """Each claim has a condition, a date, and questions that cite one of its sources."""
    for each in CLAIMS:
        assert each.condition and re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", each.checked), each.claim
        assert set(each.sources) <= set(LIBRARY.sources), each.claim
        for name in each.questions:
            question = LIBRARY.questions[name][1]
            assert {*question.sources} & {*each.sources}, (each.claim, name)


def test_every_question_that_names_a_version_a_machine_or_a_model_is_registered() -> None:
    """A new one has to be listed in claims.yaml, with its condition."""
    registered = {name for each in CLAIMS for name in each.questions}
    naming = {
        name
        for name, (_, question) in LIBRARY.questions.items()
        if any(NAMES.search(" ".join(text.split())) for _, text in shown_texts(question))
    }
    assert naming <= registered, sorted(naming - registered)
