"""The classifiers of 1998 that are no networks: neighbours, tangent distance, polynomials, radial units, support vectors."""
