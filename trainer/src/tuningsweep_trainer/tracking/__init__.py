"""Experiment tracking: what happens to trials, told to MLflow without ever holding up a trial."""
