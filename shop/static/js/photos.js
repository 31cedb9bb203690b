// Photos are made smaller before they are sent, and seen at once: a phone's photo of 5 MB takes a minute over a bad line, and is shown
// 960 pixels wide at most. Whatever the browser cannot do, the server does: then the photo goes as it is.
const WIDEST = 1600;
const SMALL_ENOUGH = 500_000;
const PREVIEW = 96;

for (const field of document.querySelectorAll("[data-photos]")) {
  field.addEventListener("change", async (event) => {
    const input = event.target;
    const photos = [...input.files];
    if (!photos.length) return;
    const form = input.form;
    form.setAttribute("aria-busy", "true");
    try {
      const sent = new DataTransfer();
      for (const photo of photos) sent.items.add(await smaller(photo));
      input.files = sent.files;
    } catch {
      // The photos stay as they were chosen.
    }
    form.removeAttribute("aria-busy");
    await show(field);
    field.dispatchEvent(new CustomEvent("linli:photos", { bubbles: true }));
  });
}

async function smaller(photo) {
  if (photo.size <= SMALL_ENOUGH) return photo;
  const drawn = await createImageBitmap(photo, { imageOrientation: "from-image" });
  const scale = Math.min(1, WIDEST / Math.max(drawn.width, drawn.height));
  const canvas = painted(drawn, Math.round(drawn.width * scale), Math.round(drawn.height * scale));
  const made = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.88); });
  return made && made.size < photo.size ? new File([made], photo.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : photo;
}

function painted(drawn, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, width, height);
  brush.drawImage(drawn, 0, 0, width, height);
  return canvas;
}

async function show(field) {
  const list = field.querySelector("[data-previews]");
  const shown = [];
  for (const input of field.querySelectorAll("input[type=file]")) {
    for (const photo of input.files) {
      const place = document.createElement("li");
      try {
        const drawn = await createImageBitmap(photo);
        const scale = PREVIEW * 2 / Math.min(drawn.width, drawn.height);
        place.append(painted(drawn, Math.round(drawn.width * scale), Math.round(drawn.height * scale)));
      } catch {
        place.append(photo.name);
      }
      shown.push(place);
    }
  }
  list.replaceChildren(...shown);
  list.hidden = !shown.length;
}
