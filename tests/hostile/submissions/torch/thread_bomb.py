"""Starts threads for ever.

exercise: causal_mask
stage: correctness
says: start new thread
"""

import threading


def causal_attention(q, k, v):
    while True:
        threading.Thread(target=threading.Event().wait).start()
