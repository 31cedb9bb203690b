"""How much there is of every variant, why, and what of it is promised. Decided by conditional UPDATEs, never by reading first."""
