"""The analog side of the chip: what each part does to a weight, a sum or a state, ideal and real."""
