"""The fake side: live generators, stored samples, and controls made from the real data."""
