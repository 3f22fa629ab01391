"""How results are shown: text for a terminal, plots, one HTML page. Nothing here runs anything."""
