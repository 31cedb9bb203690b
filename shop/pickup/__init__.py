"""When a merchant delivers where: cycles with their cut-off and slots, passes, what is waiting at a point."""
