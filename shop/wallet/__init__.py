"""The ledger, and people's wallets on it. Money moves here and nowhere else."""
