"""What the archive lets us expect."""
