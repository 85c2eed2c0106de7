"""The untrusted child of the nursery: confined, it runs the submission under the meters.

Nothing here imports the judge: whatever lies in this process belongs to the submission.
"""
