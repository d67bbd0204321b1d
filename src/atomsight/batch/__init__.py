"""Many entries: a manifest, workers, and a data set of results of which nothing is lost."""
