"""What the commands in `script/` share. Standard library only: it runs before any package is installed."""
