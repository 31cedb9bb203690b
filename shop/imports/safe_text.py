"""HTML of other shops becomes plain text: no mark of it is kept, and nothing that a script or a style says."""

from __future__ import annotations

from html.parser import HTMLParser

BREAKS = frozenset({"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"})
UNSAID = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "head", "title"})


class Words(HTMLParser):
    """Collects what people would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.unsaid = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSAID:
            self.unsaid += 1
        elif tag in BREAKS:
            self.said.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSAID:
            self.unsaid = max(self.unsaid - 1, 0)
        elif tag in BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.unsaid:
            self.said.append(data)


def plain_text(html: str) -> str:
    """What a piece of HTML says, in lines; text without marks stays as it is. Made of plain characters only, so it is safe wherever
    text is: pages escape it like any other.
    """
    if "<" not in html and "&" not in html:
        return html
    words = Words()
    words.feed(html)
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.said).replace("\N{NO-BREAK SPACE}", " ").split("\n"))
    return "\n".join(line for line in lines if line)
