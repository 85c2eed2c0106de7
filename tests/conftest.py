"""Shared by all tests: Hypothesis without deadlines, since two cores are shared with others."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.load_profile("default")
