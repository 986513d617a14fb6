"""Showing findings: one module per format, each with a `render` that turns reports into text."""
