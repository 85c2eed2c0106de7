"""Study sheets: one frozen model of the content, and a renderer for each format.

``build`` makes a ``model.Sheet`` by pure functions, out of ``cards`` (questions), ``pictures``
(masks and plots of measured data) and ``prose`` (texts as blocks). ``html``, ``markdown``,
``pdf`` and ``anki`` render it with ``templates``; ``mathml`` sets formulas, ``svg`` draws
pictures. ``cheat`` chooses what fits on two sides of paper, ``missed`` what a learner should see
again. No module here writes a file; the command does.
"""
