"""The TuningSweep trainer: driver, supervisor, training process and command line."""
