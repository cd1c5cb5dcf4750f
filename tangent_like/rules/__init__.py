"""Derivative rules: each fact is written once, as lambdas that run on symbolic values."""

from tangent_like.rules import builtin as builtin
from tangent_like.rules import classic_polynomials as classic_polynomials
from tangent_like.rules import complex as complex
from tangent_like.rules import constants as constants
from tangent_like.rules import creation as creation
from tangent_like.rules import cumulative as cumulative
from tangent_like.rules import decompositions as decompositions
from tangent_like.rules import differences as differences
from tangent_like.rules import dynamic_calls as dynamic_calls
from tangent_like.rules import einsum as einsum
from tangent_like.rules import elementwise as elementwise
from tangent_like.rules import helpers as helpers
from tangent_like.rules import indexing_functions as indexing_functions
from tangent_like.rules import inverses as inverses
from tangent_like.rules import joining as joining
from tangent_like.rules import linalg as linalg
from tangent_like.rules import nan_reductions as nan_reductions
from tangent_like.rules import norms as norms
from tangent_like.rules import operators as operators
from tangent_like.rules import padding as padding
from tangent_like.rules import products as products
from tangent_like.rules import reductions as reductions
from tangent_like.rules import refused as refused
from tangent_like.rules import shapes as shapes
from tangent_like.rules import statistics as statistics
from tangent_like.rules import ufunc_methods as ufunc_methods
