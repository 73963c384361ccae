"""Where student code runs: what it sees of the machine, and what it may use of it. Linux only."""
