"""Two answers held together: how they differ, why, in lock-step, and random programs that look for a difference."""
