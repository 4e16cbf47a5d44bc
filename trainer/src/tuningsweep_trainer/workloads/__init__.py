"""The built-in workloads: linear models trained by mini-batch SGD."""
