"""The language of differentiable Python, one theme a file."""
