"""The only package that imports torch, numpy and triton; started as ``python -m quizprep.worker``.

One process, the nursery, imports what the runtime needs and then only forks. For each grading it
forks two children: the learner, which confines itself and runs the submission, and the judge,
which holds the reference and decides the verdict. Nothing else in quizprep imports this package.
"""
