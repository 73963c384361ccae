"""nbgrader's settings for this course: its own steps, under our folder names."""

from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader defines it)

c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "chainrule"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader's default would be "solutions", which holds our masters.
c.CourseDirectory.solution_directory = ".autograder/nbgrader_solutions"

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}

# A written question's rubric stands in a locked cell, which autograding restores for the grader.
# nbgrader would have it in a "task" cell, whose second score box stays pending.
c.ClearMarkScheme.enforce_metadata = False

# What students wrote is shown in formgrader and in feedback without running any of it.
c.HTMLExporter.preprocessors = ["autograder.grading.inert.Inert"]
c.HTMLExporter.filters = {"markdown2html": "autograder.grading.inert.markdown2html"}

# An archive from a learning platform that is odd is refused by itself; the class is collected.
c.ZipCollectApp.extractor_plugin = "autograder.grading.collect.SafeExtractor"
c.ZipCollectApp.collector_plugin = "autograder.grading.collect.SafeCollector"
