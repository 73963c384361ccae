"""Putting the course on a machine: the environment, the lock files, what is missing.

`bootstrap.py` and `install.py` are run by a bare Python, before anything is installed, so they are
run as files and import nothing but the standard library and each other.
"""
