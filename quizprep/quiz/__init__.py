"""The quiz engine: marking replies, scheduling reviews, choosing what to ask. No terminal here."""
