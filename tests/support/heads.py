"""What a page says of itself in its head, read as chats and search engines read it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Head:
    """The head of a page: its title, its named facts, its links and its linked data; and what the whole page is built of."""

    title: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    graph: list[dict[str, Any]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)

    @property
    def canonical(self) -> str:
        return self.links.get(("canonical", ""), "")

    @property
    def is_found(self) -> bool:
        return "noindex" not in self.meta.get("robots", "")

    def fact(self, kind: str) -> dict[str, Any]:
        """The one fact of a kind."""
        (found,) = [fact for fact in self.graph if fact["@type"] == kind]
        return found


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.head = Head()
        self.inside = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = said.get("property") or said.get("name") or f"itemprop {said.get('itemprop', '')}"
            assert name not in self.head.meta or name in {"theme-color", "og:locale:alternate", "itemprop "}, f"{name} is said twice"
            self.head.meta[name] = said.get("content", "")
        elif tag == "link":
            self.head.links[said["rel"], said.get("hreflang", "")] = said["href"]
        elif tag == "img":
            self.head.pictures.append(said["src"])
        elif tag == "a" and "href" in said:
            self.head.anchors.append(said["href"])
        elif tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.head.headings.append(int(tag[1]))
        elif tag == "title" and not self.head.title:
            self.inside, self.text = "title", ""
        elif tag == "script" and said.get("type") == "application/ld+json":
            self.inside, self.text = "facts", ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if self.inside == "title" and tag == "title":
            self.head.title = self.text
        elif self.inside == "facts" and tag == "script":
            document = json.loads(self.text)
            assert document["@context"] == "https://schema.org"
            self.head.graph += document["@graph"]
        else:
            return
        self.inside = ""


def read_head(page: str) -> Head:
    """The head of a page; linked data that is no JSON is an error here."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.head
