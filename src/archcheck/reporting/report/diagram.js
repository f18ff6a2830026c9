/** The diagram: views, the panel beside it, overlays. `report` is what the rest of the page needs. */
const report = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const facts = read("facts");
  const by = (id) => document.getElementById(id);
  const canvas = by("canvas"), panel = by("panel"), views = by("view"), overlays = by("overlay");
  const slider = by("time"), moment = by("moment"), SVG = "http://www.w3.org/2000/svg";
  const all = Object.keys(facts.elements);
  for (const loss of Object.values(facts.losses)) for (const effect of Object.keys(loss[2])) loss[2][effect] = loss[2][effect].map((number) => all[number]);
  const known = new Map(facts.views.map((view) => [view.id, view]));
  const make = (name, text, attributes = {}) => {
    const found = document.createElement(name);
    if (text) found.textContent = text;
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    return found;
  };
  const templates = new Map([...document.querySelectorAll("template[data-view]")].map((each) => [each.dataset.view, each.content.firstElementChild]));
  for (const each of facts.views) each.own = [...templates.get(each.id).querySelectorAll(".node")].map((node) => node.dataset.key);
  let svg = null, view = null, chosen = "", alone = false;

  // -- views ------------------------------------------------------------------------------------
  const show = (id) => {
    view = known.get(id);
    stop();
    svg = templates.get(id).cloneNode(true);
    canvas.replaceChildren(svg);
    fit();
    views.value = id;
    const nodes = [...svg.querySelectorAll(".node")];
    nodes.forEach((node, index) => {
      node.setAttribute("role", "button");
      node.setAttribute("tabindex", index ? "-1" : "0");
      node.setAttribute("aria-label", node.querySelector("title").textContent);
    });
    paint();
    mark();
    trail();
  };
  const behind = (each, key) => (key in each.cards ? each.cards[key] || facts.groups[key] : [key].filter((name) => name in facts.elements));
  const names = (node) => behind(view, node.dataset.key);
  const nodeOf = (name) => [...svg.querySelectorAll(".node")].find((node) => names(node).includes(name));
  const mark = () => {
    const near = new Set(), isOf = (key) => behind(view, key).includes(chosen);
    for (const edge of svg.querySelectorAll(".edge, .edge-label")) {
      const { source, target } = edge.dataset, isNear = isOf(source) || isOf(target);
      edge.classList.toggle("far", alone && !isNear);
      if (isNear) near.add(source).add(target);
    }
    for (const node of svg.querySelectorAll(".node")) {
      const isChosen = names(node).includes(chosen);
      node.classList.toggle("chosen", isChosen);
      node.classList.toggle("far", alone && !isChosen && !near.has(node.dataset.key));
    }
  };

  const { centre, fit, zoom } = panning(canvas, () => svg, () => templates.get(view.id).getAttribute("viewBox"), (node) => choose(node));

  // -- keyboard ---------------------------------------------------------------------------------
  const focusNode = (node) => {
    for (const other of svg.querySelectorAll(".node")) other.setAttribute("tabindex", other === node ? "0" : "-1");
    node.focus({ preventScroll: true });
  };
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const neighbour = (node, [dx, dy]) => {
    const at = (each) => { const b = each.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; };
    const [x, y] = at(node);
    let best = null, least = Infinity;
    for (const other of svg.querySelectorAll(".node")) {
      const [ox, oy] = at(other), along = (ox - x) * dx + (oy - y) * dy, across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (other !== node && along > 1 && along + 2 * across < least) { best = other; least = along + 2 * across; }
    }
    return best;
  };
  canvas.addEventListener("keydown", (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    const nodes = [...svg.querySelectorAll(".node")], place = nodes.indexOf(node);
    if (event.key === "Enter" || event.key === " ") choose(node);
    else if (DIRECTIONS[event.key]) { const next = neighbour(node, DIRECTIONS[event.key]); if (next) focusNode(next); }
    else if (event.key === "Home") focusNode(nodes[0]);
    else if (event.key === "End") focusNode(nodes[nodes.length - 1]);
    else if (event.key === "PageDown" && place + 1 < nodes.length) focusNode(nodes[place + 1]);
    else if (event.key === "PageUp" && place > 0) focusNode(nodes[place - 1]);
    else if (event.key === "+") zoom(1 / 1.3);
    else if (event.key === "-") zoom(1.3);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });

  // -- the address: what is shown is in it, so that it can be sent, and the back button works ----
  const remember = () => {
    const parts = { view: view.id, element: chosen };
    const next = `#${Object.entries(parts).filter(([, value]) => value).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&")}`;
    if (location.hash !== next) history.pushState(null, "", next);
  };
  const restore = () => {
    const text = location.hash.slice(1);
    if (text && !text.includes("=")) return openTarget();
    const wanted = new URLSearchParams(text), element = wanted.get("element");
    const id = known.has(wanted.get("view")) ? wanted.get("view") : element ? view.id : facts.views[0].id;
    if (id !== view.id) show(id);
    if (element in facts.elements) find(element);
    else close();
  };

  /** Open all that an element is folded into, and show it. */
  const reveal = (target) => {
    for (let each = target; each; each = each.parentElement) if (each instanceof HTMLDetailsElement) each.open = true;
    target.scrollIntoView();
  };
  const openTarget = () => {
    const target = by(decodeURIComponent(location.hash.slice(1)));
    if (target) reveal(target);
  };
  addEventListener("popstate", restore);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden && event.target.id !== "search") { close(); remember(); }
  });

  // -- the panel --------------------------------------------------------------------------------
  const choose = (node) => {
    const all = names(node), inside = `containers of ${node.dataset.key.replace(/^group /, "")}`;
    focusNode(node);
    if (all.length === 1) describe(all[0]);
    else if (all.length) describeGroup(node, all, inside);
    else fill(make("h3", node.querySelector("title").textContent));
    remember();
  };
  const fill = (...parts) => {
    const shut = make("button", "\u00d7", { type: "button", class: "close", "aria-label": "Close" });
    shut.addEventListener("click", () => { close(); remember(); });
    panel.replaceChildren(shut, ...parts);
    beside(true);
    panel.scrollTop = 0;
  };
  /** The panel takes its room from the diagram, so that it covers no card. */
  const beside = (isOpen) => { panel.hidden = !isOpen; panel.parentElement.classList.toggle("open", isOpen); };
  const close = () => {
    beside(false);
    alone = false;
    if (chosen) { chosen = ""; mark(); if (overlays.value === "failure") paint(); }
  };
  const link = (text, act) => {
    const button = make("button", text, { type: "button", class: "link" });
    button.addEventListener("click", act);
    return button;
  };
  const list = (title, items) => {
    if (!items.length) return [];
    const found = make("ul");
    for (const item of items) { const row = make("li"); row.append(...[item].flat()); found.append(row); }
    return [make("h4", title), found];
  };
  const describe = (name) => {
    const element = facts.elements[name];
    chosen = name;
    mark();
    if (!element) return;
    const words = make("dl");
    for (const [label, value] of [["", element.what], ...element.words, ...element.figures]) {
      words.append(make("dt", label || "what"), make("dd", value));
    }
    const parts = [make("h3", name)];
    if (element.description) parts.push(make("p", element.description));
    const near = link(alone ? "Show all" : "Only its neighbours", () => { alone = !alone; describe(name); });
    const inside = `components of ${name}`, row = make("p");
    row.append(near, ...(known.has(inside) ? [" \u00b7 ", link("Its endpoints", () => enter(inside))] : []));
    parts.push(words, row);
    if (/^https?:\/\//.test(element.docs)) parts.push(make("a", "Documentation", { href: element.docs, rel: "noopener" }));
    parts.push(...among("Asked by", element.asked), ...among("Depends on", element.asks), ...without(name));
    parts.push(...list("Findings", element.findings.map((id) => make("a", by(id).querySelector("h4").textContent, { href: `#${id}` }))));
    const code = facts.code[element.place];
    if (code) parts.push(make("h4", element.place), make("pre", code.join("\n"), { tabindex: "0", "aria-label": "Declaration" }));
    parts.push(...list("Relations", element.relations.map(([way, other, text]) => [way === "to" ? "\u2192 " : "\u2190 ", link(other, () => go(other)), ` ${text}`])));
    fill(...parts);
    if (overlays.value === "failure") paint();
  };
  const among = (title, others) => {
    if (!others.length) return [];
    const row = make("p", "", { class: "among" });
    others.forEach((other, index) => row.append(index ? ", " : "", other in facts.elements ? link(other, () => go(other)) : other));
    return [make("h4", `${title} (${others.length})`), row];
  };
  const without = (name) => {
    if (!facts.losses[name]) return [];
    const [stops, degrades, effects] = facts.losses[name], told = [];
    if (stops.length) told.push(`stops ${stops.join(", ")}`);
    if (degrades.length) told.push(`degrades ${degrades.join(", ")}`);
    const met = Object.values(effects).flat().length - 1;
    const shown = link("Show it", () => { overlays.value = "failure"; paint(); });
    return [make("h4", "Its loss"), (() => { const row = make("p"); row.append(`${told.join("; ") || "stops no journey"}${met > 0 ? `; meets ${met} other element${met > 1 ? "s" : ""}` : ""}. `, shown); return row; })()];
  };
  const describeGroup = (node, all, inside) => {
    chosen = "";
    mark();
    const parts = [make("h3", node.querySelector("title").textContent)];
    if (known.has(inside)) parts.push(link("Open this group", () => enter(inside)));
    else if (view.id === "context" && known.has("containers")) parts.push(link("Open its containers", () => enter("containers")));
    parts.push(...list(`${all.length} elements`, all.map((name) => link(name, () => go(name)))));
    fill(...parts);
  };
  const enter = (inside) => { show(inside); close(); remember(); };
  /** Show an element: in this view, or else in the first one that has a card of its own for it. */
  const go = (name) => { find(name); remember(); };
  const find = (name) => {
    const own = (each) => each.own.includes(name);
    if (!own(view)) {
      const inside = known.get(`containers of ${facts.elements[name].boundary}`);
      const next = inside && own(inside) ? inside : facts.views.find(own) || view;
      if (next !== view) show(next.id);
    }
    describe(name);
    const node = nodeOf(name);
    if (node) { centre(node); focusNode(node); }
    by("diagram").scrollIntoView({ block: "end" });
  };

  // -- overlays and time ------------------------------------------------------------------------
  const TITLES = { findings: "findings", proof: "counterexamples", utilisation: "utilisation", latency: "latency (p95)", errors: "errors", flow: "flow" };
  overlays.append(make("option", "none", { value: "" }));
  for (const name of Object.keys(facts.overlays)) overlays.append(make("option", TITLES[name] || name, { value: name }));
  if (facts.series) overlays.append(make("option", "queues", { value: "queues" }));
  if (Object.keys(facts.losses).length) overlays.append(make("option", "loss of the chosen element", { value: "failure" }));
  const LOSS = { 3: ["critical", "fails"], 2: ["warm", "degraded"], 1: ["info", "starved"] };
  const bucket = () => (slider && Number(slider.value) > 0 ? Number(slider.value) - 1 : -1);
  const toneOf = (value) => facts.series.levels.find(([limit]) => limit === null || value < limit)[1];
  const marksAt = (name, at) => {
    const series = facts.series;
    if (name === "utilisation" && at >= 0) {
      return new Map(Object.entries(series.busy).map(([key, values]) => [key, [toneOf(values[at]), `${Math.round(100 * values[at])}% busy`, values[at]]]));
    }
    if (name === "queues") {
      const longest = (values) => (at >= 0 ? values[at] : Math.max(...values));
      return new Map(Object.entries(series.waiting).map(([key, values]) => {
        const length = longest(values);
        return [key, [length < 1 ? "calm" : length < 10 ? "warm" : length < 100 ? "hot" : "critical", `${+length.toFixed(1)} waiting`, length]];
      }));
    }
    if (name === "failure") {
      const effects = facts.losses[chosen] ? facts.losses[chosen][2] : {};
      return new Map(Object.entries(effects).flatMap(([effect, all]) => all.map((each) => [each, [LOSS[effect][0], each === chosen ? "lost" : LOSS[effect][1], Number(effect)]])));
    }
    return new Map(Object.entries(facts.overlays[name] ? facts.overlays[name].marks : {}));
  };
  const badge = (node, text, tone) => {
    const place = node.querySelector(".box"), group = document.createElementNS(SVG, "g");
    const rect = document.createElementNS(SVG, "rect"), label = document.createElementNS(SVG, "text");
    const width = 6.2 * text.length + 10, x = Number(place.getAttribute("x")) + Number(place.getAttribute("width")) - width - 4;
    const y = Number(place.getAttribute("y")) + Number(place.getAttribute("height")) - 8;
    for (const [key, value] of Object.entries({ x, y, width, height: 16, rx: 8, class: `badge-box tone-${tone}` })) rect.setAttribute(key, value);
    for (const [key, value] of Object.entries({ x: x + width / 2, y: y + 11.5, "text-anchor": "middle", class: "badge" })) label.setAttribute(key, value);
    label.textContent = text;
    group.setAttribute("class", "overlay");
    group.append(rect, label);
    node.append(group);
  };
  const paint = () => {
    const name = overlays.value, marks = name ? marksAt(name, bucket()) : new Map();
    for (const old of svg.querySelectorAll(".overlay")) old.remove();
    for (const node of svg.querySelectorAll(".node")) {
      const rect = node.querySelector(".box");
      rect.dataset.plain ??= rect.getAttribute("class");
      const found = names(node).map((each) => marks.get(each)).filter(Boolean).sort((a, b) => b[2] - a[2])[0];
      rect.setAttribute("class", found ? `box tone-${found[0]}` : rect.dataset.plain);
      if (found) badge(node, found[1].length > 24 ? `${found[1].slice(0, 22)}\u2026` : found[1], found[0]);
      node.setAttribute("aria-label", node.querySelector("title").textContent + (found ? `, ${found[1]}` : ""));
    }
    widths(name);
    legend(name);
    clock();
  };
  const widths = (name) => {
    const weights = new Map((facts.overlays[name] ? facts.overlays[name].weights : []).map(([a, b, weight, label]) => [`${a}\n${b}`, [weight, label]]));
    for (const edge of svg.querySelectorAll(".edge")) {
      const path = edge.querySelector("path");
      path.dataset.plain ??= path.getAttribute("stroke-width");
      let most = null;
      for (const source of behind(view, edge.dataset.source)) for (const target of behind(view, edge.dataset.target)) {
        const found = weights.get(`${source}\n${target}`);
        if (found && (!most || found[0] > most[0])) most = found;
      }
      path.setAttribute("stroke-width", most ? most[0] : path.dataset.plain);
      const label = [...svg.querySelectorAll(".edge-label")].find((each) => each.dataset.source === edge.dataset.source && each.dataset.target === edge.dataset.target);
      if (label) relabel(label, most ? most[1] : null);
      else if (most && most[1]) write(path, most[1]);
    }
  };
  /** A text in the middle of a line that has no label of its own. */
  const write = (path, text) => {
    const middle = path.getPointAtLength(path.getTotalLength() / 2), label = document.createElementNS(SVG, "text");
    for (const [key, value] of Object.entries({ x: middle.x, y: middle.y, "text-anchor": "middle", class: "halo l" })) label.setAttribute(key, value);
    label.textContent = text;
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "overlay");
    group.append(label);
    svg.append(group);
  };
  const relabel = (label, text) => {
    [...label.querySelectorAll("text")].forEach((line, index) => {
      line.dataset.plain ??= line.textContent;
      line.textContent = text === null ? line.dataset.plain : index ? "" : text;
    });
  };
  const legend = (name) => {
    const queue = [["calm", "below 1 waiting"], ["warm", "1 to 10"], ["hot", "10 to 100"], ["critical", "more"]];
    const lost = [["critical", chosen ? `fails without ${chosen}` : "choose an element to see what its loss does"], ["warm", "degraded"], ["info", "gets no messages"]];
    const entries = name === "queues" ? queue : name === "failure" ? lost.slice(0, chosen ? 3 : 1) : facts.overlays[name] ? facts.overlays[name].legend : [];
    by("legend").replaceChildren(...entries.map(([tone, text]) => {
      const row = make("li");
      row.append(...(tone ? [make("span", "", { class: `swatch ${tone}` })] : []), text);
      return row;
    }));
  };
  const clock = () => {
    if (!slider) return;
    const at = bucket(), series = facts.series, width = series.duration / series.count;
    const faults = at < 0 ? [] : series.faults.filter(([, start, end]) => start < (at + 1) * width && end > at * width).map(([what]) => what);
    moment.textContent = at < 0 ? "whole run" : `${+(at * width).toFixed(1)} to ${+((at + 1) * width).toFixed(1)} s${faults.length ? `, ${faults.join(", ")}` : ""}`;
    slider.setAttribute("aria-valuetext", moment.textContent);
    const table = make("table"), head = make("tr"), target = by("journeys");
    if (at < 0) return target.replaceChildren();
    for (const text of ["journey", "answers / s", "failed / s", "p95"]) head.append(make("th", text, { scope: "col" }));
    table.append(head);
    for (const [name, points] of Object.entries(series.journeys)) {
      const row = make("tr"), [good, bad, p95] = points[at] || [null, null, null];
      for (const text of [name, good === null ? "-" : `${good}`, bad === null ? "-" : `${bad}`, p95 === null ? "-" : `${+(1000 * p95).toPrecision(3)} ms`]) row.append(make("td", text));
      table.append(row);
    }
    target.replaceChildren(table);
  };
  views.addEventListener("change", () => { show(views.value); remember(); });
  overlays.addEventListener("change", paint);
  if (slider) {
    slider.max = facts.series.count;
    slider.addEventListener("input", () => {
      if (overlays.value !== "queues") overlays.value = "utilisation";
      paint();
    });
  }

  // -- where one is, and a journey step by step ---------------------------------------------------
  const crumbs = by("crumbs"), play = by("play");
  const trail = () => {
    const inside = /^containers of (.*)$/.exec(view.id), service = /^components of (.*)$/.exec(view.id);
    const steps = [["context", "context"], ["containers", "containers"]].filter(([id]) => known.has(id) && (id !== "context" || view.id !== "context"));
    const boundary = service && facts.elements[service[1]] ? `containers of ${facts.elements[service[1]].boundary}` : "";
    if (known.has(boundary)) steps.push([boundary, known.get(boundary).title]);
    if (inside || service) steps.push([view.id, view.title]);
    const shown = inside || service || view.id === "containers" ? steps : [];
    crumbs.replaceChildren(...shown.map(([id, title]) => {
      const row = make("li");
      row.append(id === view.id ? make("span", title, { "aria-current": "page" }) : link(title, () => enter(id)));
      return row;
    }));
    play.hidden = !/^journey /.test(view.id);
    by("remark").textContent = view.remark;
  };
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    if (svg) for (const edge of svg.querySelectorAll(".edge.now")) edge.classList.remove("now");
  };
  /** The edges of a journey in the order of their numbers, which their titles list. */
  const steps = () => [...svg.querySelectorAll(".edge")].flatMap((edge) =>
    edge.querySelector("title").textContent.split("\n").map((line) => /^(\d+)\. /.exec(line)).filter(Boolean).map((found) => [Number(found[1]), edge])).sort((a, b) => a[0] - b[0]);
  play.addEventListener("click", () => {
    if (timer) return stop();
    const order = steps();
    let at = 0;
    const next = () => {
      for (const edge of svg.querySelectorAll(".edge.now")) edge.classList.remove("now");
      if (at >= order.length) return stop();
      const [number, edge] = order[at++];
      edge.classList.add("now");
      edge.parentNode.append(edge);
      play.textContent = `Stop (${number})`;
    };
    timer = setInterval(next, 800);
    next();
  });

  const start = () => { if (facts.views.length) { show(facts.views[0].id); if (location.hash) restore(); } };
  return { by, facts, go, make, reveal, start };
})();
