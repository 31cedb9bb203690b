// What a weight does to the price, while it is typed. The server works it out again and decides; sums here are whole numbers too.
const form = document.querySelector("form[data-weighing]");
const GRAMS = { g: 1, jin: 500, kg: 1000 };
const SPELLINGS = { "": "", g: "g", 克: "g", jin: "jin", 斤: "jin", kg: "kg", 公斤: "kg", 千克: "kg" };

// Whole grams, or null while that is no weight: read as the server reads it, in shop/kernel/quantities.py. Any comma is refused.
export function gramsOf(text, unit) {
  const meant = text.normalize("NFKC").replaceAll("。", ".").replace(/\p{Cf}/gu, "").trim().replace(/\s+/g, " ").toLowerCase();
  const spoken = /^(\d{1,6}) ?斤 ?(\d) ?两?$/.exec(meant);
  if (spoken) return Number(spoken[1]) * 500 + Number(spoken[2]) * 50;
  const found = /^(\d{1,9})(?:\.(\d{1,3}))? ?([a-z\u4e00-\u9fff]{0,3})$/.exec(meant);
  if (!found || !(found[3] in SPELLINGS)) return null;
  const thousandths = Number(found[1]) * 1000 + Number((found[2] ?? "").padEnd(3, "0"));
  const grams = (thousandths * GRAMS[SPELLINGS[found[3]] || unit]) / 1000;
  return Number.isInteger(grams) ? grams : null;
}

const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en")}.${String(fen % 100).padStart(2, "0")}`;
const weight = (grams) => (grams < 1000 ? `${grams} g` : `${Number((grams / 1000).toFixed(3))} kg`);

// Half up, once, and never above what was agreed.
function priceOf(grams, { price, unitGrams, ceiling }) {
  const exact = BigInt(price) * BigInt(grams);
  const per = BigInt(unitGrams);
  return Math.min(Number((exact * 2n + per) / (per * 2n)), Number(ceiling));
}

// Seen at every key, and told once the hand rests.
const RESTS_FOR = 1000;
let resting = 0;

function explain(field, isTyped = false) {
  const place = document.getElementById(`${field.id}-result`);
  const grams = gramsOf(field.value, form.elements.unit.value);
  place.hidden = !field.value.trim();
  clearTimeout(resting);
  if (isTyped) resting = setTimeout(() => { if (!place.hidden) document.dispatchEvent(new CustomEvent("linli:say", { detail: place.textContent })); }, RESTS_FOR);
  if (place.hidden) return;
  if (grams === null) { say(place, form.dataset.unclear, {}, "muted"); return; }
  const { ceiling, nominal } = field.dataset;
  const price = priceOf(grams, field.dataset);
  const off = grams - Number(nominal);
  const facts = { weight: weight(grams), off: weight(Math.abs(off)), price: yuan(price), back: yuan(Number(ceiling) - price) };
  const far = Math.abs(off) * 100 > Number(nominal) * Number(form.dataset.farPercent);
  say(place, off === 0 ? form.dataset.exact : off < 0 ? form.dataset.less : form.dataset.more, facts, off < 0 ? "good" : "muted");
  if (far) { place.className = "weigh-result warn"; place.textContent += ` ${form.dataset.far.replace("{ordered}", weight(Number(nominal)))}`; }
}

function say(place, words, facts, tone) {
  place.className = `weigh-result ${tone}`;
  place.textContent = words.replace(/\{(\w+)\}/g, (_all, name) => facts[name] ?? "");
}

if (form) {
  const fields = [...form.querySelectorAll("[data-weight]")];
  for (const field of fields) { field.addEventListener("input", () => explain(field, true)); explain(field); }
  form.addEventListener("change", (event) => {
    if (event.target.name !== "unit") return;
    for (const suffix of form.querySelectorAll(".field-suffix")) suffix.textContent = event.target.dataset.word;
    for (const field of fields) explain(field);
  });
}
