// Draws [data-chart] from its JSON with plotly, in the page's own font and colours. Colours in the JSON are names of
// the page's tokens ("--accent", or "--accent/0.12" with an opacity); they are looked up again when the theme changes.
(() => {
  const here = document.currentScript;
  let plotly;
  const load = () => (plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = here.dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly"));
    document.head.append(script);
  }));

  function colour(token) {
    const [name, opacity] = token.split("/");
    const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    if (!opacity) return hex;
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${opacity})`;
  }
  const coloured = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item)]));
    }
    return value;
  };

  const known = new WeakMap();
  async function draw(box, { again = false } = {}) {
    const stamp = box.dataset.chart + (box.dataset.stamp || "");
    if (!again && box.dataset.drawn === stamp) return;
    box.dataset.drawn = stamp;
    try {
      if (!again || !known.has(box)) {
        const answer = await fetch(box.dataset.chart, { credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        known.set(box, await answer.json());
      }
      const figure = coloured(known.get(box));
      const Plotly = await load();
      box.classList.remove("failed");
      if (box.firstElementChild?.matches(".skeleton")) box.replaceChildren();
      await Plotly.react(box, figure.data, figure.layout, {
        responsive: true, displaylogo: false, displayModeBar: "hover",
        modeBarButtons: [["toImage"]], toImageButtonOptions: { filename: box.dataset.name || "chart", scale: 2 },
      });
    } catch (error) {
      delete box.dataset.drawn;
      box.classList.add("failed");
      box.textContent = `${box.dataset.failed} (${error.message})`;
    }
  }
  const all = (options) => document.querySelectorAll("[data-chart]").forEach((box) => draw(box, options));
  document.addEventListener("theme", () => all({ again: true }));
  document.addEventListener("refreshed", () => all());
  all();
})();
