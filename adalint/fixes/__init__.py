"""Fixes: from a rule page's recipe to operations, from operations to edits."""
