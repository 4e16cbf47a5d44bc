"""The figures of the report: each module turns rows into Vega-Lite charts, `theme` says how they look."""
