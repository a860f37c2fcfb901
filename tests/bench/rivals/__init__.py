"""Other ways to serve the same prices, as their manuals show them."""
