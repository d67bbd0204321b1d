"""Several models in one map: which of them the map supports best, and how surely."""
