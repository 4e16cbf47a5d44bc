"""The thesis's claims beside our measurement."""
