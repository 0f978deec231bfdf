// Sends without a reload, and watches each run until nothing of it changes any more. The server makes every piece; this
// script only puts them in. Without it the same forms work with a reload.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = $("#chat-form");
  const field = $("#say");
  const exchanges = $("#exchanges");
  const STEP_MS = 60; // a state that was passed between two looks is still shown for this long
  const LOOK_MS = [150, 300, 1500]; // first look, later looks, and while nothing moves
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

  class Refused extends Error {}

  // --- asking the server ---
  async function ask(address, body) {
    let answer;
    try {
      answer = await fetch(address, {
        method: body ? "POST" : "GET", body, credentials: "same-origin", headers: { Accept: "application/json" },
      });
    } catch {
      throw new Error(form.dataset.lost);
    }
    const isJson = (answer.headers.get("Content-Type") || "").includes("json");
    if (answer.redirected || (!isJson && [401, 403].includes(answer.status))) throw new Refused(form.dataset.signedOut);
    if (!isJson) throw new Error(form.dataset.lost);
    const data = await answer.json();
    if (!answer.ok) throw new Refused(data.error.message);
    return data;
  }

  function complain(text) {
    const problem = $(".problem", form);
    problem.textContent = text;
    problem.hidden = !text;
    field.toggleAttribute("aria-invalid", Boolean(text));
  }

  // --- putting pieces in ---
  function made(html) {
    const box = document.createElement("template");
    box.innerHTML = html.trim();
    return box.content.firstElementChild;
  }

  // The new piece in place of the old: what is open stays open, and the focus stays where it was.
  function replace(old, html) {
    const fresh = made(html);
    for (const part of $$("details[open][data-key]", old)) {
      const same = $(`details[data-key="${part.dataset.key}"]`, fresh);
      if (same) same.open = true;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const marks = $$("button, summary", old).indexOf(focused);
    const atEnd = nearEnd();
    old.replaceWith(fresh);
    if (marks >= 0) $$("button, summary", fresh)[marks]?.focus({ preventScroll: true });
    if (atEnd) toEnd();
    return fresh;
  }
  const nearEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 160;
  const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

  // --- the way through the states ---
  const steps = (piece) => $$(".way li", piece);
  const place = (piece, status) => steps(piece).findIndex((step) => step.dataset.step === status);
  function draw(piece, at) {
    steps(piece).forEach((step, index) => {
      step.classList.toggle("done", index < at);
      step.classList.toggle("now", index === at);
    });
    const step = steps(piece)[at];
    if (!step) return;
    $(".way", piece).dataset.shown = step.dataset.step;
    $(".way-status", piece).textContent = step.dataset.step;
    $(".way-words", piece).textContent = step.dataset.words;
  }

  // Shows one state after the other up to that of the news; only then is the piece replaced.
  async function walk(piece, at, goal) {
    for (let step = at + 1; step <= goal; step += 1) {
      if (!calm.matches) await pause(STEP_MS);
      draw(piece, step);
    }
    return Math.max(at, goal);
  }

  // --- watching a run ---
  async function watch(piece, { sent = false } = {}) {
    const { id } = piece;
    const address = piece.dataset.url;
    let at = sent ? 0 : Math.max(0, place(piece, piece.dataset.status));
    let wait = LOOK_MS[0];
    let told = false;
    let stamp = "";
    draw(piece, at);
    for (;;) {
      await pause(wait);
      if (document.hidden) { wait = LOOK_MS[1]; continue; }
      let news;
      try {
        news = await ask(address);
      } catch (error) {
        if (error instanceof Refused) { complain(error.message); return; }
        wait = LOOK_MS[2];
        continue;
      }
      if (news.stamp !== stamp) {
        stamp = news.stamp;
        at = await walk(document.getElementById(id), at, place(piece, news.status));
        piece = replace(document.getElementById(id), news.html);
        draw(piece, at);
        if (news.answer && !told) arrive(piece, news.answer);
        told ||= Boolean(news.answer);
      }
      if (news.settled) return;
      wait = news.stalled ? LOOK_MS[2] : Math.min(wait * 1.2, LOOK_MS[1]);
    }
  }
  function arrive(piece, answer) {
    $("#chat-said").textContent = `${form.dataset.answered} ${answer}`;
    piece.classList.add("fresh", "moving"); // the full way stays in sight for a moment
    setTimeout(() => document.getElementById(piece.id).classList.remove("moving"), calm.matches ? 0 : STEP_MS * 6);
  }

  // --- saying something ---
  function said(text) {
    const piece = document.createElement("article");
    piece.className = "exchange";
    const bubble = document.createElement("div");
    bubble.className = "said";
    const words = document.createElement("p");
    words.style.whiteSpace = "pre-wrap";
    words.textContent = text;
    bubble.append(words);
    piece.append(bubble);
    exchanges.append(piece);
    toEnd();
    return piece;
  }

  let sending = false;
  async function send(body, address) {
    const text = (body.get("text") || "").trim();
    if (sending || !text) return false;
    sending = true;
    complain("");
    $("#try")?.remove();
    const draft = said(text);
    try {
      const news = await ask(address, body);
      form.elements.run_id.value = news.next_run_id;
      if (location.pathname !== news.url) {
        history.pushState({}, "", news.url);
        $("h1").textContent = news.headline;
        document.title = `${news.headline} · Selflearn`;
        form.action = news.url;
        $("#consent-form").elements.thread.value = news.url.split("/").at(-2);
      }
      $("#side").innerHTML = news.side;
      watch(replace(draft, news.html), { sent: true });
      return true;
    } catch (error) {
      draft.remove();
      complain(error.message);
      return false;
    } finally {
      sending = false;
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form);
    const text = field.value;
    if (sending || !text.trim()) return;
    field.value = "";
    size();
    if (!(await send(body, form.action)) && !field.value) field.value = text;
    size();
    field.focus({ preventScroll: true });
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  function size() { // for browsers without `field-sizing`
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
  field.addEventListener("input", size);

  // --- feedback, and trying again ---
  exchanges.addEventListener("submit", async (event) => {
    const kind = event.target.dataset.chat;
    if (!kind) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own handler would lock the button for good
    if (kind === "again") {
      await send(new FormData(event.target), event.target.action);
      return;
    }
    const piece = event.target.closest(".exchange");
    const body = new FormData(event.target);
    body.set("score", event.submitter.value);
    try {
      const news = await ask(event.target.action, body);
      replace(document.getElementById(piece.id), news.html);
      complain("");
    } catch (error) {
      complain(error.message);
    }
  });

  // --- consent: kept as soon as it is changed ---
  const consent = $("#consent-form");
  consent.addEventListener("change", async () => {
    const box = consent.elements.consent;
    try {
      const news = await ask(consent.action, new FormData(consent));
      $("#consent-said").textContent = news.said;
      if (!news.consent) $$("[data-consent]", exchanges).forEach((mark) => mark.remove());
    } catch (error) {
      box.checked = !box.checked;
      complain(error.message);
    }
  });

  addEventListener("popstate", () => location.reload());
  const narrow = matchMedia("(max-width: 1080px)");
  if (narrow.matches) $(".side details").open = false;
  for (const piece of $$(".exchange:not(.settled)", exchanges)) watch(piece);
  if (!location.hash && $(".exchange", exchanges)) toEnd();
  if (!narrow.matches) field.focus({ preventScroll: true });
})();
