"""Stand-ins for the outside services the shop talks to. Separate programs: `shop` never imports them."""
