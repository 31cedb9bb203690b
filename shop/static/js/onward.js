// The page waited for is open: go there in place of the page that waited, so that going back does not lead into waiting again.
function goOn(root) {
  const link = root.querySelector("a[data-onward]");
  if (link) window.location.replace(link.href);
}

document.addEventListener("linli:arrived", (event) => goOn(event.detail));
goOn(document);
