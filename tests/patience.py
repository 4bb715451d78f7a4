"""How long tests wait for what may hang: longer than any loaded machine takes, and not for ever."""

PATIENCE = 600
"""Seconds."""
