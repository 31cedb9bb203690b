// The camera reads a QR code where the browser can. Typing and scanner guns work without any of this.
const PAUSE = 800; // milliseconds to take the next label into view
const button = document.querySelector("[data-camera]");
const view = document.querySelector("[data-camera-view]");
const said = document.querySelector("[data-camera-said]");

async function canRead() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

let stream = null;

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  view.hidden = true;
  button.setAttribute("aria-pressed", "false");
}

async function read(field) {
  said.hidden = true;
  stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  view.srcObject = stream;
  view.hidden = false;
  button.setAttribute("aria-pressed", "true");
  await view.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const goesOn = "cameraStays" in button.dataset;
  let last = "";
  const look = async () => {
    if (!stream) return;
    const [found] = await detector.detect(view).catch(() => []);
    if (!found) { requestAnimationFrame(look); return; }
    if (!goesOn) stop();
    if (found.rawValue !== last) {
      field.value = found.rawValue;
      field.form.requestSubmit();
    }
    last = found.rawValue;
    if (goesOn) setTimeout(look, PAUSE);
  };
  look();
}

if (button && view && await canRead()) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (stream) { stop(); return; }
    read(document.getElementById(button.dataset.camera)).catch(() => {
      stop();
      said.textContent = said.dataset.refused;
      said.hidden = false;
    });
  });
  // A page that nobody looks at films nobody.
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) stop(); });
}
