"""Geometry of a model, without the map: backbone, covalent geometry, clashes."""
