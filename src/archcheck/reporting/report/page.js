/** Search, deep links to what is folded, charts, the theme. */
(() => {
  const { by, facts, go, make, reveal } = report;
  const read = (id) => JSON.parse(by(id).textContent), specs = read("specs"), themes = read("themes");

  // -- search -----------------------------------------------------------------------------------
  const search = by("search"), hits = by("hits");
  let found = [], at = -1;
  const entry = (what, target, text) => ({ what, target, text, folded: `${text} ${target}`.toLowerCase() });
  const words = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const folded = [
    ...Object.entries(facts.elements).map(([name, element]) => entry("element", name, `${name} (${element.kind})`)),
    ...[...document.querySelectorAll(".finding")].map((each) => entry("finding", each.id, [...each.querySelectorAll("h4, h4 + p, li")].map(words).join(" "))),
    ...[...document.querySelectorAll(".rule")].map((each) => entry("rule", each.id, words(each.querySelector("summary")))),
  ];
  const openHits = (isOpen) => { hits.hidden = !isOpen; search.setAttribute("aria-expanded", String(isOpen)); if (!isOpen) search.removeAttribute("aria-activedescendant"); };
  const pick = (index) => {
    at = index;
    [...hits.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === at)));
    if (hits.children[at]) { search.setAttribute("aria-activedescendant", hits.children[at].id); hits.children[at].scrollIntoView({ block: "nearest" }); }
  };
  const look = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = words.length ? folded.filter((each) => words.every((word) => each.folded.includes(word))).slice(0, 60) : [];
    hits.replaceChildren(...found.map((each, index) => {
      const row = make("li", "", { role: "option", id: `hit-${index}`, "aria-selected": "false" });
      row.append(make("span", each.what, { class: "what" }), each.text.length > 220 ? `${each.text.slice(0, 219)}\u2026` : each.text);
      row.addEventListener("pointerdown", (event) => { event.preventDefault(); open(each); });
      return row;
    }));
    openHits(found.length > 0);
    pick(found.length ? 0 : -1);
  };
  const open = (each) => {
    openHits(false);
    if (each.what === "element") return go(each.target);
    const target = by(each.target);
    history.pushState(null, "", `#${each.target}`);
    reveal(target);
    (target instanceof HTMLDetailsElement ? target.querySelector("summary") : target).focus();
  };
  search.addEventListener("input", look);
  search.addEventListener("focus", () => { if (search.value) look(); });
  search.addEventListener("blur", () => openHits(false));
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") pick(Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") pick(Math.max(0, at - 1));
    else if (event.key === "Enter" && found[at]) open(found[at]);
    else if (event.key === "Escape") openHits(false);
    else return;
    event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !(event.target instanceof HTMLInputElement)) { event.preventDefault(); search.focus(); }
  });
  // -- charts and theme -------------------------------------------------------------------------
  const button = by("theme"), root = document.documentElement;
  const drawChart = (figure) => {
    if (figure.dataset.drawn === root.dataset.theme) return;
    figure.dataset.drawn = root.dataset.theme;
    const config = { ...themes[root.dataset.theme], background: "transparent", aria: false };
    vegaEmbed(figure.querySelector(".plot"), specs[figure.dataset.chart], { actions: false, ast: true, renderer: "svg", config, tooltip: { sanitize: (value) => { const safe = make("span", String(value)); return safe.innerHTML; } } }).then(() => figure.querySelector(".plot svg").setAttribute("aria-hidden", "true"));
  };
  const figures = [...document.querySelectorAll(".chart")];
  const watcher = new IntersectionObserver((entries) => entries.filter((e) => e.isIntersecting).forEach((e) => drawChart(e.target)), { rootMargin: "300px" });
  const setTheme = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
    figures.filter((figure) => figure.dataset.drawn).forEach(drawChart);
  };
  button.addEventListener("click", () => setTheme(root.dataset.theme !== "dark"));
  /** On paper what is folded is open, but for the pages of the rules and what each finding opens to. */
  const unfolded = [];
  const unfold = (isPaper) => {
    if (!isPaper) { unfolded.splice(0).forEach((each) => { each.open = false; }); return; }
    figures.forEach(drawChart);
    for (const each of document.querySelectorAll(".part:not([open])")) { each.open = true; unfolded.push(each); }
  };
  matchMedia("print").addEventListener("change", (event) => unfold(event.matches));
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  report.start();
  figures.forEach((figure) => watcher.observe(figure));
  const settle = window.requestIdleCallback || ((act) => setTimeout(act, 200));
  settle(() => figures.forEach((figure, index) => setTimeout(() => drawChart(figure), 300 * (index + 1))));
  root.dataset.ready = "yes";
})();
