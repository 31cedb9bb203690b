"""Payments and refunds, whoever carries them: their records, the card provider's gateway, the way back of money."""
