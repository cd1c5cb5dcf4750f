"""tangent_like: reads the source of a Python function and writes the source of its derivative."""

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
from tangent_like.rules.registry import bilinear, constant, elementwise, linear, rule

__version__ = "0.1.0"

__all__ = [
    "bilinear",
    "constant",
    "derivative",
    "elementwise",
    "elementwise_grad",
    "errors",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linear",
    "rule",
    "source",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "wengert",
]
