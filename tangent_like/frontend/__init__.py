"""From a Python function to its Wengert list: find the source, parse it, lower it."""
