"""quizprep worker."""
