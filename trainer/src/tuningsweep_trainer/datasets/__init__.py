"""Data sets of the built-in workloads: where rows come from, and how one copy a node serves every trial."""
