"""Makes quizprep/sheets/templates/root.ttf: a font that holds a space and the root sign, no more.

Chromium draws a root only where the first font of a formula holds the sign; with another font
sqrt(d) silently becomes d. Phones have no font for mathematics, so the HTML sheet carries this
one (a kilobyte, every outline drawn below) for readers who have none of their own.

    pip install fonttools && python tools/root_font.py
"""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildMathTable
from fontTools.pens.ttGlyphPen import TTGlyphPen

TARGET = Path(__file__).parents[1] / "quizprep/sheets/templates/root.ttf"
EM = 1000
RULE = 66
"""Thickness of the bar over a root and of a fraction's line."""

WIDTH = 640
SIZES = {
    "radical": (800, 150), "radical.a": (1000, 250), "radical.b": (1350, 450),
    "radical.c": (1800, 800), "radical.d": (2500, 1200),
}  # fmt: skip
"""Height above and depth below the line; browsers take the smallest that covers the formula."""

CONSTANTS = {
    "ScriptPercentScaleDown": 71, "ScriptScriptPercentScaleDown": 58, "MathLeading": 150,
    "DelimitedSubFormulaMinHeight": 1500, "DisplayOperatorMinHeight": 1500, "AxisHeight": 250,
    "AccentBaseHeight": 450, "FlattenedAccentBaseHeight": 662,
    "SubscriptShiftDown": 210, "SubscriptTopMax": 360, "SubscriptBaselineDropMin": 160,
    "SuperscriptShiftUp": 360, "SuperscriptShiftUpCramped": 252, "SuperscriptBottomMin": 120,
    "SuperscriptBaselineDropMax": 230, "SubSuperscriptGapMin": 150,
    "SuperscriptBottomMaxWithSubscript": 380, "SpaceAfterScript": 40,
    "UpperLimitGapMin": 135, "UpperLimitBaselineRiseMin": 300,
    "LowerLimitGapMin": 135, "LowerLimitBaselineDropMin": 670,
    "StackTopShiftUp": 470, "StackTopDisplayStyleShiftUp": 780, "StackBottomShiftDown": 385,
    "StackBottomDisplayStyleShiftDown": 690, "StackGapMin": 150, "StackDisplayStyleGapMin": 300,
    "StretchStackTopShiftUp": 800, "StretchStackBottomShiftDown": 590,
    "StretchStackGapAboveMin": RULE, "StretchStackGapBelowMin": RULE,
    "FractionNumeratorShiftUp": 480, "FractionNumeratorDisplayStyleShiftUp": 700,
    "FractionDenominatorShiftDown": 480, "FractionDenominatorDisplayStyleShiftDown": 690,
    "FractionNumeratorGapMin": RULE, "FractionNumDisplayStyleGapMin": 150,
    "FractionRuleThickness": RULE, "FractionDenominatorGapMin": RULE,
    "FractionDenomDisplayStyleGapMin": 150,
    "SkewedFractionHorizontalGap": 350, "SkewedFractionVerticalGap": 68,
    "OverbarVerticalGap": 175, "OverbarRuleThickness": RULE, "OverbarExtraAscender": RULE,
    "UnderbarVerticalGap": 175, "UnderbarRuleThickness": RULE, "UnderbarExtraDescender": RULE,
    "RadicalVerticalGap": 80, "RadicalDisplayStyleVerticalGap": 150,
    "RadicalRuleThickness": RULE, "RadicalExtraAscender": RULE,
    "RadicalKernBeforeDegree": 65, "RadicalKernAfterDegree": -335,
    "RadicalDegreeBottomRaisePercent": 55,
}  # fmt: skip


def radical(height: int, depth: int):
    """A hook, a heavy stroke down, and a light one up to where the bar begins."""
    bottom = -depth
    middle = bottom + (height + depth) * 0.52
    outline = [
        (40, middle - 70), (180, middle + 10), (352, bottom + 150), (WIDTH - 62, height),
        (WIDTH, height), (WIDTH, height - RULE), (372, bottom), (330, bottom),
        (158, middle - 90), (62, middle - 140),
    ]  # fmt: skip
    pen = TTGlyphPen(None)
    pen.moveTo(outline[0])
    for point in outline[1:]:
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def main() -> None:
    """Write the font; the same every time."""
    empty = TTGlyphPen(None).glyph()
    glyphs = {".notdef": empty, "space": empty}
    glyphs |= {name: radical(*size) for name, size in SIZES.items()}
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({0x20: "space", 0x221A: "radical"})
    builder.setupGlyf(glyphs)
    metrics = {".notdef": (500, 0), "space": (250, 0)}
    builder.setupHorizontalMetrics(metrics | dict.fromkeys(SIZES, (WIDTH, 40)))
    builder.setupHorizontalHeader(ascent=891, descent=-216)
    builder.setupNameTable({"familyName": "Quizprep Root", "styleName": "Regular"})
    builder.setupOS2(
        sTypoAscender=891, sTypoDescender=-216, sTypoLineGap=42, usWinAscent=891,
        usWinDescent=216, sxHeight=448, sCapHeight=662,
    )  # fmt: skip
    # Without a thickness here browsers draw fractions without their line.
    builder.setupPost(keepGlyphNames=False, underlinePosition=-100, underlineThickness=RULE)
    buildMathTable(
        builder.font,
        constants=CONSTANTS,
        # Browsers refuse a MATH table without glyph information.
        italicsCorrections={"radical": 1},
        minConnectorOverlap=20,
        vertGlyphVariants={"radical": [(name, sum(size)) for name, size in SIZES.items()]},
    )
    builder.font["head"].created = builder.font["head"].modified = 3_850_000_000
    builder.font.recalcTimestamp = False
    builder.save(TARGET)


if __name__ == "__main__":
    main()
