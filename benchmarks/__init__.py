"""What should be fast, timed: `make bench`."""
