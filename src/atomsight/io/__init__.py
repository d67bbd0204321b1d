"""Files in: maps and models. Files out: whole or not at all."""
