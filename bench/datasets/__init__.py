"""Datasets: one file for each kind of place that real or generated images can lie in."""
