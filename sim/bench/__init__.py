"""`anna bench`: times runs beside other software that reads digits on the same machine."""
