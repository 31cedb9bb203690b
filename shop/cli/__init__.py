"""Commands: `flask seed`, `flask jobs`, `flask verify` and the rest. Doors like any other, over the same operations."""
