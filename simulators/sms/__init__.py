"""A text message gateway and the phones behind it, as one small separate program: what is sent is shown, nothing leaves the machine."""
