"""`tuningsweep reproduce`: the thesis' 336 trials, what limits save on them, tidy data, figures and claims."""
