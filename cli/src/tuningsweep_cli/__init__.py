"""The command line `tuningsweep`."""
