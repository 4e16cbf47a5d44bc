"""The driver: runs a sweep with Ray Tune, keeps its state, answers the operator."""
