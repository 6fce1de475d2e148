"""Formulas on tensors: no files, no network, no printing, no global random state."""
