"""The TuningSweep operator: turns sweeps into KubeRay jobs and keeps their status."""
