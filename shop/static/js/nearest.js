// Puts the nearest pick-up point first, when the person asks and the browser says where it is. The position never leaves the device.
const tools = document.querySelector("[data-near]");
const list = document.querySelector("[data-places]");

if (tools && list && "geolocation" in navigator) {
  tools.hidden = false;
  const said = tools.querySelector("[role=status]");
  tools.querySelector("[data-near-button]").addEventListener("click", (event) => {
    const button = event.currentTarget;
    button.setAttribute("aria-busy", "true");
    const finished = (words) => { button.removeAttribute("aria-busy"); said.textContent = words; };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { sort(coords); finished(tools.dataset.done); },
      () => finished(tools.dataset.failed),
      { timeout: 10_000, maximumAge: 300_000 },
    );
  });
}

function sort(coords) {
  const places = [...list.children].map((place) => ({ place, metres: metresTo(coords, place.dataset) }));
  places.sort((one, other) => one.metres - other.metres);
  for (const { place, metres } of places) {
    list.append(place);
    const away = place.querySelector("[data-away-here]");
    if (!away || !Number.isFinite(metres)) continue;
    away.textContent = tools.dataset.away.replace("{distance}", spoken(metres));
    away.hidden = false;
  }
}

// Good enough within a city: a flat map, with degrees of longitude shortened by the latitude.
function metresTo(coords, { latitude, longitude }) {
  if (!latitude) return Infinity;
  const perDegree = 111_320;
  const north = (Number(latitude) / 1e6 - coords.latitude) * perDegree;
  const east = (Number(longitude) / 1e6 - coords.longitude) * perDegree * Math.cos((coords.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}

function spoken(metres) {
  return metres < 1000 ? `${Math.max(50, Math.round(metres / 50) * 50)} m` : `${(metres / 1000).toFixed(1)} km`;
}
