"""The data sets: the registry, readers for their files, the built-in digits, and the download of missing files."""
