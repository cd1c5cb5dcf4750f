"""Tests of tangent_like; `tests.derivatives` holds the references they share."""
