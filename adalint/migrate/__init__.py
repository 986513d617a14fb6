"""Migrations of whole adapters and whole files, one module per kind."""

from __future__ import annotations


class MigrationError(Exception):
    """What is asked for cannot be done; the message says where and why, in one line, and nothing was written."""
