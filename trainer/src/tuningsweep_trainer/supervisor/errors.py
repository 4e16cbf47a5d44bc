"""Errors that end a trial, raised by what measures it and turned into its outcome by the monitor."""


class GpuError(RuntimeError):
    """GPU memory can't be read; says why."""
