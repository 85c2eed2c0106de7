"""Study sheets: one frozen model out of the library, and a renderer for each format.

``build`` makes a ``model.Sheet`` by pure functions; ``html``, ``markdown``, ``pdf`` and ``anki``
render it. ``mathtree`` reads a formula once for all of them, ``prose`` a text. ``figures`` draws;
``masks``, ``growth``, ``roofline`` and ``plots`` say what, from measured data, and ``pictures`` on
which sheet. ``cheat`` chooses what fits on two sides of paper, ``missed``
says what a learner should see again, and ``files`` is the only module that writes.
"""
