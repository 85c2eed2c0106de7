"""The pages of ``quizprep web``: asked as a program asks, and driven in a browser."""
