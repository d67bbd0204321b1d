"""One reading a residue: what Q and half maps say together."""
