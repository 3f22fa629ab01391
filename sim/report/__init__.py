"""Shows results as text, plots and one HTML page. Nothing here runs anything."""
