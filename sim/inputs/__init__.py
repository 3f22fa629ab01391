"""Networks and images as a command or a caller names them."""
