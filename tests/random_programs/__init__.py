"""Random programs: written by a grammar, judged by `tests.derivatives`, shrunk when they fail.

`grammar` writes them, `check` judges one, `shrink` makes a failing one small.
`python -m tests.random_programs --count N --seed S` runs many.
"""
