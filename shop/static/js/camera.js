// The camera reads a QR code where the browser can. Typing and scanner guns work without any of this.
const button = document.querySelector("[data-camera]");
const view = document.querySelector("[data-camera-view]");

async function canRead() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

async function read(field) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  view.srcObject = stream;
  view.hidden = false;
  await view.play();
  const stop = () => { stream.getTracks().forEach((track) => track.stop()); view.hidden = true; };
  const look = async () => {
    if (view.hidden) return;
    const found = await detector.detect(view).catch(() => []);
    if (found.length) {
      stop();
      field.value = found[0].rawValue;
      field.form.requestSubmit();
      return;
    }
    requestAnimationFrame(look);
  };
  button.addEventListener("click", stop, { once: true });
  look();
}

if (button && view && await canRead()) {
  button.hidden = false;
  button.addEventListener("click", () => { if (view.hidden) read(document.getElementById(button.dataset.camera)).catch(() => { view.hidden = true; }); });
}
