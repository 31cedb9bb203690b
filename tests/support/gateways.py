"""Stand-ins at the outside edges, where a test looks at what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RecordingSms:
    """An SMS gateway that keeps what it was given; the same reference twice is one message."""

    messages: dict[str, tuple[str, str]] = field(default_factory=dict)

    def send(self, phone: str, text: str, reference: str) -> None:
        self.messages.setdefault(reference, (phone, text))

    def texts_to(self, phone: str) -> list[str]:
        """What was sent to a number, oldest first."""
        return [text for to, text in self.messages.values() if to == phone]
