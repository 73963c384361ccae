"""The one exception that a person reads as a sentence."""


class Problem(Exception):
    """Something outside the program is wrong; the message is one sentence that says what to do.

    The command line prints it to standard error and exits with status 2. Raise it for bad input;
    let every other exception be what it is, a defect of ours.
    """
