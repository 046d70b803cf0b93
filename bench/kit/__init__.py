"""What the measurements are made of: a machine that is watched, a database, servers, loads, and a table of ratios."""
