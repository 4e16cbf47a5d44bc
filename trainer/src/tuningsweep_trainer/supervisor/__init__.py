"""The supervisor: the Tune trainable that owns a trial's training process and holds it to the limits."""
