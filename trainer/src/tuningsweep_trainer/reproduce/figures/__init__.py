"""Figures of the reproduction."""
