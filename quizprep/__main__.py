"""``python -m quizprep``."""

from quizprep.cli import main

main()
