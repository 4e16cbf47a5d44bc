"""Training code of the trials, the same for every system: only how a trial reports differs."""
