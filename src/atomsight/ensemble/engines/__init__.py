"""What makes one model of a map: a built-in engine, and programs that the user has."""
