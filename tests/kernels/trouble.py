"""`Trouble`: something that keeps the matrix from running, said in one line."""


class Trouble(Exception):
    """Its text is one line that says what is missing or wrong and what helps."""
