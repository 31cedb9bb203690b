"""The process from cart to order: the offer, the agreement, and one transaction that takes money, slots and goods together."""
