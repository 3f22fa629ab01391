"""The data sets: a registry, the readers of their files, the built-in digits, and fetching what is missing."""
