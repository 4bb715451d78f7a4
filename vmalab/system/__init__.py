"""This machine: what it can show, its processes' VMAs, and real programs in miniature."""
