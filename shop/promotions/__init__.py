"""What is owed: list prices, and what offers take off them. `rules.price` is the only place where that is worked out."""
