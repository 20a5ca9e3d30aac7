"""Lowering of residual units, one file per family."""
