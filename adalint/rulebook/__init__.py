"""The rulebook: pages of data, the language of their conditions, and judging by them."""
