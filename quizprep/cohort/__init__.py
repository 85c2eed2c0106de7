"""A course or study group: every student's submissions graded, stored one by one, and reported.

submissions   who handed in what, from a folder; names and files are not trusted
results       the SQLite file of verdicts, which makes a run resumable
local         grading on the cores of this machine
cluster       grading on Dask workers
credit        partial credit by a rule in YAML
standing      the group's results as one frozen value, which all formats print
formats       CSV, JSON, JUnit, Parquet, and the files that course systems read
pages         the HTML report
"""
