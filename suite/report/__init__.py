"""Tidy tables from the store, figures, and one self-contained page."""
