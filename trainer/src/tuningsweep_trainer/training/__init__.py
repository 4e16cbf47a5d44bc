"""The training process: what runs beside a user's code, and the fork server that starts it."""
