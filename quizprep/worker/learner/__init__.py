"""The untrusted child of the nursery: confined, it runs the submission under the meters.

Nothing here imports the judge: everything in this process is at the submission's mercy.
"""
