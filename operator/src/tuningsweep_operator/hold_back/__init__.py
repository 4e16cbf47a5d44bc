"""Holds a new sweep back while no node has room for its pods. Pure but for `gate.py`, which reads nodes and pods."""
