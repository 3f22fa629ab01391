"""The networks of 1989 to 1998, and the catalogue of their names."""
