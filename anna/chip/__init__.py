"""The chip as data: facts with their marks, specifications, codes, and when charges are refreshed."""
