"""quizprep: find out whether you really know attention."""

__version__ = "0.1.0"
