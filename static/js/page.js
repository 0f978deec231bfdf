// Live parts, menu, theme switch, copy and print buttons. Everything works without it, only less comfortably.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // --- make `old` look like `fresh`, touching only what differs: no flicker, focus and open parts stay ---
  const KEPT = new Set(["open", "data-drawn"]);
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  function attributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }
  // The old node that `item` continues: text only where it stands, elements further on too.
  function find(place, item) {
    if (!place || same(place, item)) return place;
    if (item.nodeType !== Node.ELEMENT_NODE) return null;
    let match = place;
    while (match && !same(match, item)) match = match.nextSibling;
    return match;
  }
  // Takes away what lies between; what a script or the last click put there stays.
  function clear(place, end) {
    while (place && place !== end) {
      const next = place.nextSibling;
      if (!(place instanceof Element && place.hasAttribute("data-keep"))) place.remove();
      place = next;
    }
  }
  function morph(old, fresh) {
    if (old.hasAttribute("data-keep")) { // drawn by a script of its own: only its data may change
      for (const name of Object.keys(fresh.dataset)) old.dataset[name] = fresh.dataset[name];
      return;
    }
    attributes(old, fresh);
    if (old.contains(document.activeElement) && old.matches("form")) return; // somebody is typing here
    const wanted = [...fresh.childNodes];
    let place = old.firstChild;
    for (const item of wanted) {
      const match = find(place, item);
      if (match) {
        clear(place, match);
        if (match.nodeType === Node.ELEMENT_NODE) morph(match, item);
        else if (match.nodeValue !== item.nodeValue) match.nodeValue = item.nodeValue;
        place = match.nextSibling;
      } else {
        old.insertBefore(document.importNode(item, true), place);
      }
    }
    clear(place, null);
  }

  async function refresh() {
    const main = $("[data-live]");
    if (!main) return;
    const wait = Number(main.dataset.live) || 15000;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const selector of ["[data-live]", "#sidebar-nav"]) {
          const [old, now] = [$(selector), $(selector, fresh)];
          if (old && now) morph(old, now);
        }
        document.title = fresh.title;
        document.body.classList.remove("stale");
        document.dispatchEvent(new CustomEvent("refreshed"));
      } catch {
        document.body.classList.add("stale"); // says "connection lost" beside the as-of time, and keeps trying
      }
    }
    setTimeout(refresh, document.body.classList.contains("stale") ? Math.max(wait, 4000) : wait);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const what = button.dataset.do;
    if (what === "theme") {
      button.dataset.state = window.selflearnTheme.next();
      $("#said").textContent = button.dataset[button.dataset.state] || "";
      button.title = button.dataset[button.dataset.state] || "";
    }
    if (what === "menu") {
      const open = document.body.classList.toggle("menu-open");
      button.setAttribute("aria-expanded", String(open));
      if (open) $("#sidebar a")?.focus();
    }
    if (what === "close-menu") {
      document.body.classList.remove("menu-open");
      $('[data-do="menu"]')?.setAttribute("aria-expanded", "false");
    }
    if (what === "print") print();
    if (what === "cancel") button.closest("details").open = false;
    if (what === "fill") {
      const field = document.getElementById(button.dataset.field);
      field.value = button.dataset.text;
      field.focus();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.body.classList.remove("menu-open");
    for (const part of $$("details.ask[open]")) part.open = false;
  });

  // An opened question ("Reject…") puts the cursor where the answer is typed; one is open at a time.
  document.addEventListener("toggle", (event) => {
    const part = event.target;
    if (!(part instanceof HTMLDetailsElement) || !part.matches("details.ask") || !part.open) return;
    for (const other of $$("details.ask[open]")) if (other !== part) other.open = false;
    $("textarea, input:not([type=hidden])", part)?.focus();
  }, true);

  // A form sent twice is sent once.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const button = event.submitter;
    setTimeout(() => { if (button) { button.disabled = true; button.classList.add("busy"); } });
  });

  const main = $("[data-live]");
  if (main) setTimeout(refresh, Number(main.dataset.live) || 15000);
})();
