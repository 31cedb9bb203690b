// The price in the bar follows the quantity that is typed or stepped: ¥11.60 for 2 jin, at most. Without this it says what the smallest quantity costs.
const followAll = () => document.querySelectorAll("[data-sum-of]").forEach(follow);

followAll();
document.addEventListener("htmx:load", followAll); // another size has another price
document.addEventListener("input", ({ target }) => followField(target));
document.addEventListener("change", ({ target }) => followField(target));

function followField(field) {
  for (const bar of document.querySelectorAll("[data-sum-of]")) if (bar.dataset.sumOf === field.name) follow(bar);
}

function follow(bar) {
  const field = document.querySelector(`main input[name="${bar.dataset.sumOf}"]`);
  const quantity = Number(field?.value);
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > Number(field.max)) return;
  const fen = Number(bar.dataset.each) * quantity;
  const [yuan, cents] = (fen / 100).toFixed(2).split(".");
  const price = bar.querySelector(".price");
  price.querySelector(".price-fen").textContent = `.${cents}`;
  price.querySelector(".price-sign").nextSibling.data = yuan.replace(/\B(?=(\d{3})+$)/g, ",");
  bar.querySelector(".action-label").textContent = quantity === 1 ? bar.dataset.one : bar.dataset.several.replace("%n", quantity);
}
