"""Stands in the place of a part of the library that an exercise asks a student to build."""

raise ImportError(f"this exercise is asked without {__name__}: it is what you build.")
