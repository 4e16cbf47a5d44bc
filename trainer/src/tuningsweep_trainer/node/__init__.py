"""One node's part: the files that driver, supervisors and exporter share, the data set, and Prometheus metrics."""
