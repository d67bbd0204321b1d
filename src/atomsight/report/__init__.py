"""The results as one page, and as figures."""
