"""Resource model of TuningSweep, shared by operator, trainer and command line."""
