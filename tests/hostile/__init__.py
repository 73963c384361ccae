"""Submissions that go wrong, by accident or on purpose, through the whole pipeline."""
