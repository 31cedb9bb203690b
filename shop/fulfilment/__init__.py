"""A process over orders and pick-up: goods are packed, travel as a batch, are received at a point and handed over once."""
