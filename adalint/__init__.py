"""A linter and migration tool for AdaLoRA in Hugging Face PEFT."""

__version__ = "0.1.0"
