"""Training code that the samples run; written as a user would write it, and in the trainer image."""
