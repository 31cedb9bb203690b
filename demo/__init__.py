"""The demo city: deterministic, repeatable, with progress. Reads only `demo/` in the project, never the network."""
