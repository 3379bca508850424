"use strict";

const message = document.getElementById("message");

/** Ask the API; resolve to what it answers, reject with what it says is wrong. */
async function ask(path, options = {}) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, ...options });
  const answer = await response.json();
  if (response.ok) {
    return answer;
  }
  if (response.status === 401) {
    location.assign("/login");
  }
  throw new Error(answer.detail ?? answer.error);
}

// Pages are the same for everybody. This is what is not.
ask("/api/me").then((me) => {
  if (me) {
    document.getElementById("customer").textContent = me.name;
    document.getElementById("cart-count").textContent = me.cart;
    document.getElementById("login").hidden = true;
    document.getElementById("logout").hidden = false;
  }
});

// Forms work without this script, too. With it, the page stays.
document.addEventListener("submit", async (event) => {
  if (!event.target.matches("form.add")) {
    return;
  }
  event.preventDefault();
  try {
    const cart = await ask("/api/cart", {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ product: Number(event.submitter.value) }),
    });
    document.getElementById("cart-count").textContent = cart.count;
    message.textContent = `In your cart: ${cart.lines.map((line) => `${line.quantity} ${line.name}`).join(", ")}`;
  } catch (error) {
    message.textContent = error.message;
  }
});

function card(product) {
  const made = document.getElementById("card").content.cloneNode(true);
  const link = made.querySelector("h2 a");
  link.textContent = product.name;
  link.href = `/products/${product.id}`;
  made.querySelector("p").textContent = product.description;
  made.querySelector(".price").textContent = `€${(product.price / 100).toFixed(2)}`;
  const button = made.querySelector("button");
  button.value = product.id;
  button.disabled = !product.stock;
  button.textContent = product.stock ? "Add to cart" : "Sold out";
  return made;
}

let asked = 0;
document.getElementById("search")?.addEventListener("input", async (event) => {
  const number = ++asked;
  try {
    const found = await ask(`/api/search?q=${encodeURIComponent(event.target.value)}`);
    // An answer that a later one has overtaken is dropped.
    if (number === asked) {
      document.getElementById("products").replaceChildren(...found.products.map(card));
      message.textContent = found.products.length ? "" : "Nothing found.";
    }
  } catch (error) {
    message.textContent = error.message;
  }
});

// The browser asks again when the stream has ended, and says by the last event's id where to go on.
const sold = document.getElementById("sold");
if (sold) {
  const source = new EventSource("/api/sold");
  source.addEventListener("open", () => {
    message.textContent = "Waiting for the next order.";
  });
  source.addEventListener("sold", (event) => {
    const item = document.createElement("li");
    item.textContent = JSON.parse(event.data).text;
    sold.prepend(item);
  });
}
