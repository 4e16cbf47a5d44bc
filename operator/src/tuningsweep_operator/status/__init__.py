"""The pure status fold: what was observed of a sweep in, its status out. No I/O, time is an argument."""
