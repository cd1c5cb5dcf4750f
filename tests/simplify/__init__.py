"""Tests of the simplification passes."""
