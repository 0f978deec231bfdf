// Runs before the first paint, so that the page never flashes in the wrong theme. The admin reads the same key.
(() => {
  const KEY = "_x_adminTheme";
  const saved = () => {
    try { return JSON.parse(localStorage.getItem(KEY) || '"auto"'); } catch { return "auto"; }
  };
  const apply = (theme) => {
    const root = document.documentElement;
    const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "dark" : "light";
    root.dataset.choice = theme;
    document.dispatchEvent(new CustomEvent("theme"));
  };
  window.selflearnTheme = {
    next() {
      const order = ["auto", "light", "dark"];
      const theme = order[(order.indexOf(saved()) + 1) % order.length];
      localStorage.setItem(KEY, JSON.stringify(theme));
      apply(theme);
      return theme;
    },
  };
  apply(saved());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(saved()));
})();
