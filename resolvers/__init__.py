"""How a field gets its value: small functions over domain objects, and the loaders they share."""
