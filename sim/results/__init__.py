"""What a user holds: results that print and draw themselves."""
