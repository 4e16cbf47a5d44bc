"""The benchmark: every figure that TuningSweep is judged by, measured beside its baselines in one run (`make bench`)."""
