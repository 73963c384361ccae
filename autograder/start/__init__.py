"""A student's start page: the map of the course, what is done, and what comes next."""
