"""Maps: where they lie, their values, and whether a model lies in them."""
