"""Independent models of one map: made, judged, chosen and compared."""
