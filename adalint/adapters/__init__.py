"""Trained adapters on disk: their configuration and the headers of their weights. Tensors are never read here.

No pickle is ever opened.
"""
