"""One module a figure; `measure(scale)` returns its rows. benchmarks.registry lists them."""
