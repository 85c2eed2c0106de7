"""quizprep sheets."""
