"""Tests of what the lessons call."""
