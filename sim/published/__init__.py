"""Every published number, what the model says to it, and what each assumption is worth."""
