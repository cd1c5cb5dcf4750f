"""tangent_like: reads the source of a Python function and writes the source of its derivative."""

from tangent_like import dynamic_derivatives as dynamic_derivatives
from tangent_like import errors as errors
from tangent_like import rules as rules
from tangent_like.api import (
    derivative,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    source,
    stop_gradient,
    value_and_grad,
    vjp,
    wengert,
)
from tangent_like.benchmark import benchmark
from tangent_like.check import check_grads
from tangent_like.custom import custom_jvp, custom_vjp
from tangent_like.decorator import differentiate
from tangent_like.export import export
from tangent_like.gradient_block import grad_of
from tangent_like.rule_check import check_rule
from tangent_like.rules.registry import bilinear, constant, elementwise, linear, rule
from tangent_like.solvers import fixed_point, root
from tangent_like.version import VERSION

__version__ = VERSION

__all__ = [
    "benchmark",
    "bilinear",
    "check_grads",
    "check_rule",
    "constant",
    "custom_jvp",
    "custom_vjp",
    "derivative",
    "differentiate",
    "elementwise",
    "elementwise_grad",
    "errors",
    "export",
    "fixed_point",
    "grad",
    "grad_of",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linear",
    "root",
    "rule",
    "source",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "wengert",
]
