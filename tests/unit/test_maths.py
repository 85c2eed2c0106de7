"""Mathematics in texts: a readable plain form, and a lint that knows the subset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.maths import plain, problems, split_math


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"$\frac{q \cdot k}{\sqrt{d}}$", "q·k/√d"),
        (r"$\frac{a+b}{c+d}$", "(a + b)/(c + d)"),
        (r"$\frac{1}{2} n^2$", "(1/2)n²"),
        (r"$\sqrt{2d}$", "√(2d)"),
        (r"$\operatorname{softmax}(QK^\top/\sqrt{d})V$", "softmax(QKᵀ/√d)V"),
        (r"$\operatorname{diag}(p) - p p^\top$", "diag(p) - ppᵀ"),
        (r"$\Theta(n^2 d^2 / M)$", "Θ(n²d²/M)"),
        (r"$\sum_{i=1}^{n} \exp(x_i - \max_j x_j)$", "∑ᵢ₌₁ⁿ exp(xᵢ - maxⱼ xⱼ)"),
        (r"$a_{ij} \le 2^{10}$", "aᵢⱼ ≤ 2¹⁰"),
        (r"$-\infty$ and $n \log n$", "-∞ and n log n"),
        (r"$2^{-8(k+1)/h}$", "2^(-8(k+1)/h)"),
        (r"$n \times m$, $x \approx y$", "n×m, x ≈ y"),
        (r"$\text{bytes per token} = 2 L d$", "bytes per token = 2Ld"),
        (r"it costs \$5, {x} stays", "it costs $5, {x} stays"),
    ],
)
def test_plain_form(text: str, shown: str) -> None:
    """Formulas of the subset read well in a terminal and lint clean."""
    assert plain(text) == shown
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("one $ alone", "without its partner"),
        (r"$\begin{aligned}x\end{aligned}$", "not in the subset"),
        (r"$\frac{1}$", "nothing to act on"),
        (r"${x$", "never closed"),
        (r"$x}$", "closes nothing"),
        (r"$x^2^3$", "two ^"),
        ("$$", "nothing stands between"),
        (r"$\text x$", "needs braces"),
        ("$" + "{" * 50 + "}" * 50 + "$", "too deeply"),
    ],
)
def test_lint_names_what_is_outside_the_subset(text: str, phrase: str) -> None:
    """Whatever could be typeset wrongly is a problem that says what it is."""
    assert any(phrase in problem for problem in problems(text))


@given(st.text(alphabet=r"ab1{}$\^_ ,-+=()fracsqrtxei", max_size=60))
def test_any_text_has_a_plain_form(text: str) -> None:
    """``plain`` and ``problems`` never raise, and the pieces of a text add up to it."""
    plain(text)
    problems(text)
    assert "".join(piece.text for piece in split_math(text)) == text
