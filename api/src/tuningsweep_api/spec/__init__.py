"""The spec of a TuningSweep, one module per part; `tuningsweep_api.spec.sweep` puts them together."""
