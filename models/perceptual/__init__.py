"""Distances between images that follow what people see."""
