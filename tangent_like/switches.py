"""Switches for those who work on the compiler; each holds one flag."""

checking: list[bool] = [False]
"""Verify the list after every pass."""

simplifying: list[bool] = [True]
"""Without it only what nothing uses is left out."""
