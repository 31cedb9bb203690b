"""What people like: a heart beside goods, the list of them, and a message when what was sold out is back."""
