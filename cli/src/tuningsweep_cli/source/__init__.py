"""Where a sweep's trials are read from: stored results, or a running driver."""
