"""quizprep quiz."""
