"""Digits: the readers of IDX and USPS files, the built-in hold-out, and the catalogue of what can be fetched."""
