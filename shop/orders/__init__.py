"""What was promised: purchases, their sub-order per merchant and delivery, and what became of them."""
