"""What each kind of evidence adds to the results: columns, figures with definitions, lines."""
