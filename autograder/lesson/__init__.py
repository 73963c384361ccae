"""Lessons as their authors write them, and the notebooks made from them."""

from autograder.lesson.answers import answer_files, read_answers
from autograder.lesson.model import Answer, Behaviour, Cell, Equivalent, Exercise, Lesson, Written
from autograder.lesson.parse import read_lesson

__all__ = [
    "Answer",
    "Behaviour",
    "Cell",
    "Equivalent",
    "Exercise",
    "Lesson",
    "Written",
    "answer_files",
    "read_answers",
    "read_lesson",
]
