"""Grading a class: intake, rebuild, run, and nbgrader's own gradebook.

A submission travels through these modules in this order, and every step hands on plain data:

    intake     a file that anybody may have written -> cells, or one sentence why not
    handout    the master notebook as nbgrader grades it and as students received it
    rebuild    master cells with only the sources of answer cells from the student
    unit       one rebuilt submission in, one outcome out; knows nothing of nbgrader
    bridge     the outcome into nbgrader's database and `autograded/`
    classroom  all of that for a class, one student at a time
"""
