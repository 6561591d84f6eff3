// The page of `lamina analyze`: a strip of layers, a treemap, and tables.

(async () => {
  const data = await pageData();
  const reasons = ["", "overwritten", "metadata only", "deleted"];
  const layers = data.layers;
  const tree = readTree(data);
  const state = { mode: "image", layer: -1, node: 0, picked: -1, strip: 0, text: "" };
  const matcher = { test: null, bytes: null };

  // ---- The tree: nodes in the order of a walk; versions are files that layers store. ----

  function readTree({ names, depths, nodes, holders, sizes, reasons }) {
    const count = names.length;
    const parents = new Int32Array(count).fill(-1);
    const ends = new Int32Array(count);
    const way = [0];
    for (let node = 1; node < count; node += 1) {
      while (way.length > depths[node]) ends[way.pop()] = node;
      parents[node] = way[way.length - 1];
      way.push(node);
    }
    while (way.length) ends[way.pop()] = count;
    let last = 0;
    const places = nodes.map((step) => (last += step));
    return { names, parents, ends, places, holders, sizes, reasons, count, paths: new Map() };
  }

  function path(node) {
    if (node === 0) return "/";
    let known = tree.paths.get(node);
    if (known === undefined) {
      const parent = tree.parents[node];
      known = (parent === 0 ? "" : path(parent)) + "/" + tree.names[node];
      tree.paths.set(node, known);
    }
    return known;
  }

  const isCounted = (version) => state.mode === "image" ? tree.reasons[version] === 0
    : state.mode === "useless" ? tree.reasons[version] !== 0 : tree.holders[version] === state.layer;

  /// By node: bytes and useless bytes at it and below it, and the layer of the largest file.
  function measure(counts) {
    const bytes = new Float64Array(tree.count);
    const useless = new Float64Array(tree.count);
    const largest = new Float64Array(tree.count).fill(-1);
    const layer = new Int32Array(tree.count);
    tree.places.forEach((node, version) => {
      if (!counts(version)) return;
      const size = tree.sizes[version];
      bytes[node] += size;
      if (tree.reasons[version] !== 0) useless[node] += size;
      if (size > largest[node]) { largest[node] = size; layer[node] = tree.holders[version]; }
    });
    for (let node = tree.count - 1; node > 0; node -= 1) {
      const parent = tree.parents[node];
      bytes[parent] += bytes[node];
      useless[parent] += useless[node];
      if (largest[node] > largest[parent]) { largest[parent] = largest[node]; layer[parent] = layer[node]; }
    }
    return { bytes, useless, layer };
  }

  function children(node) {
    const list = [];
    for (let child = node + 1; child < tree.ends[node]; child = tree.ends[child]) list.push(child);
    return list;
  }

  const hue = (layer) => (211 + layer * 137.508) % 360;
  const colour = (layer) => `hsl(${hue(layer).toFixed(0)} var(--tint-colour) var(--tint-light))`;
  const lineText = (layer) => (layers[layer].lines ? `line ${layers[layer].lines}` : "");

  // ---- Facts and layers ----

  function fact(value, label, isBad) {
    return make("div", {}, make("b", { className: isBad ? "bad" : "", textContent: value }), make("span", { textContent: label }));
  }

  function showFacts() {
    $("facts").replaceChildren(
      fact(bytesText(data.size), `in ${countText(layers.length)} layers`),
      fact(bytesText(data.useless), "stored but in no file of the image", data.useless > 0),
      fact(percentText(data.efficiency, 1), "of the bytes are of use"),
      fact(percentText(data.dive.efficiency, 1), `dive's efficiency; wasted ${bytesText(data.dive.wasted)}`),
      fact(countText(tree.places.length), "files in all layers"));
  }

  function showStrip() {
    const total = Math.max(1, data.size);
    $("strip").replaceChildren(...layers.map((layer, index) => {
      const title = `Layer ${index + 1}, ${bytesText(layer.size)}, ${lineText(index)} ${layer.command}`;
      const part = make("button", {
        type: "button", role: "tab", title, "aria-label": title, "aria-selected": index === state.strip,
        tabindex: index === state.strip ? 0 : -1, click: () => selectLayer(index),
      }, layer.size / total > 0.04 ? `${index + 1} · ${bytesText(layer.size)}` : "");
      part.style.flexGrow = Math.max(0.004, layer.size / total);
      part.style.background = colour(index);
      if (layer.useless > layer.size / 2) part.classList.add("useless");
      return part;
    }));
    showLayer();
  }

  function selectLayer(index, focuses) {
    if (!layers[index]) return;
    state.strip = index;
    [...$("strip").children].forEach((part, other) => {
      part.setAttribute("aria-selected", other === index);
      part.tabIndex = other === index ? 0 : -1;
    });
    if (focuses) $("strip").children[index].focus();
    showLayer();
  }

  function showLayer() {
    const layer = layers[state.strip];
    if (!layer) return $("layer").replaceChildren("The image has no layers.");
    const tally = ([count, bytes]) => `${countText(count)} (${bytesText(bytes)})`;
    const show = make("button", {
      type: "button", textContent: "Show its files", click: () => go({ mode: "layers", layer: state.strip, node: 0 }),
    });
    $("layer").replaceChildren(
      make("div", { className: "bar" },
        make("h2", {}, make("span", { className: "swatch" }), `Layer ${state.strip + 1} of ${layers.length}`
          + (layer.lines ? `, Dockerfile line ${layer.lines}` : "")), show),
      make("pre", { textContent: layer.source || layer.command || "The image does not tell which command made it." }),
      make("div", { className: "faint", textContent:
        `${bytesText(layer.size)}, ${percentText(layer.size, data.size)} of the image; added ${tally(layer.added)}, `
        + `changed ${tally(layer.changed)}, removed ${tally(layer.removed)}; useless ${bytesText(layer.useless)}, `
        + `made useless below ${bytesText(layer.causes)}; ${layer.id}` }));
    $("layer").querySelector(".swatch").style.background = colour(state.strip);
  }

  // ---- The treemap ----

  /// Rectangles for weights in descending order, as square as can be. Source: Bruls, Huizing and van Wijk, 2000.
  function squarify(weights, x, y, width, height) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scale = total > 0 ? (width * height) / total : 0;
    const boxes = [];
    let start = 0;
    while (start < weights.length && width > 0 && height > 0) {
      const side = Math.min(width, height);
      let [end, sum, worst] = [start, 0, Infinity];
      while (end < weights.length) {
        const next = sum + weights[end] * scale;
        const ratio = Math.max((side * side * weights[start] * scale) / (next * next),
          (next * next) / (side * side * weights[end] * scale));
        if (ratio > worst) break;
        [worst, sum, end] = [ratio, next, end + 1];
      }
      if (end === start) break;
      const depth = sum / side;
      let offset = 0;
      for (let index = start; index < end; index += 1) {
        const length = (weights[index] * scale) / depth;
        boxes.push(width >= height ? [x, y + offset, depth, length] : [x + offset, y, length, depth]);
        offset += length;
      }
      if (width >= height) { x += depth; width -= depth; } else { y += depth; height -= depth; }
      start = end;
    }
    return boxes;
  }

  function items() {
    if (state.mode === "layers" && state.layer < 0) {
      return layers.map((layer, index) => ({
        name: `Layer ${index + 1}${layer.lines ? ", line " + layer.lines : ""}`, bytes: layer.size, layer: index,
        useless: layer.useless, isFolder: true, open: () => go({ layer: index, node: 0 }),
      }));
    }
    return children(state.node).map((node) => ({
      name: tree.names[node], node, bytes: view.bytes[node], layer: view.layer[node], useless: view.useless[node],
      isFolder: tree.ends[node] > node + 1, open: () => go({ node }),
    }));
  }

  let view = null;

  function showMap() {
    view = measure(isCounted);
    const host = $("map");
    const [width, height] = [host.clientWidth, host.clientHeight];
    const all = items().filter((item) => item.bytes > 0).sort((one, other) => other.bytes - one.bytes);
    const shown = all.slice(0, 160);
    const rest = all.slice(160);
    if (rest.length > 0) {
      shown.push({ name: `${countText(rest.length)} others`, bytes: rest.reduce((sum, item) => sum + item.bytes, 0),
        layer: -1, useless: 0, isFolder: false });
      shown.sort((one, other) => other.bytes - one.bytes);
    }
    const total = all.reduce((sum, item) => sum + item.bytes, 0);
    const boxes = squarify(shown.map((item) => item.bytes), 0, 0, width, height);
    host.replaceChildren(...boxes.map((box, index) => cell(shown[index], box, total)));
    if (all.length === 0) {
      host.append(make("p", { className: "faint", textContent:
        state.mode === "useless" ? "No bytes are stored in vain here." : "No file here has any bytes." }));
      host.firstChild.style.padding = "0 12px";
    }
    showCrumbs(total, all.length);
  }

  function place(element, [x, y, width, height]) {
    Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  }

  function cell(item, box, total) {
    const [, , width, height] = box;
    const label = `${item.name}${item.isFolder && item.node ? "/" : ""}`;
    const title = `${label}, ${bytesText(item.bytes)}, ${percentText(item.bytes, total)}`
      + (item.useless > 0 && state.mode !== "useless" ? `, useless ${bytesText(item.useless)}` : "");
    const element = make("button", {
      type: "button", className: "cell", title, "aria-label": title,
      click: () => (item.isFolder ? item.open() : pick(item)),
    });
    if (width > 34 && height > 15) {
      element.append(make("span", { className: "name" }, label, make("i", { textContent: bytesText(item.bytes) })));
    }
    place(element, box);
    if (matcher.bytes && item.node && matcher.bytes[item.node] === 0) element.classList.add("dim");
    const isNested = item.isFolder && item.node && width > 70 && height > 46;
    if (isNested) {
      element.classList.add("folder");
      nest(element, item.node, width, height);
    } else {
      element.style.backgroundColor = item.layer < 0 ? "var(--folder)" : colour(item.layer);
      if (item.useless > item.bytes / 2 && state.mode !== "useless") element.classList.add("useless");
    }
    return element;
  }

  /// Draws what is in a directory inside of its cell, some directories deep; these parts are for the eye only.
  function nest(element, node, width, height, level = 0) {
    const inside = children(node).filter((child) => view.bytes[child] > 0)
      .sort((one, other) => view.bytes[other] - view.bytes[one]).slice(0, level === 0 ? 60 : 30);
    const top = level === 0 ? 19 : 16;
    const boxes = squarify(inside.map((child) => view.bytes[child]), 3, top, width - 8, height - top - 5);
    boxes.forEach((box, index) => {
      if (box[2] < 3 || box[3] < 3) return;
      const child = inside[index];
      const part = make("span", { className: "cell inner", "aria-hidden": "true" });
      if (box[2] > 30 && box[3] > 15) part.textContent = tree.names[child];
      place(part, box);
      if (tree.ends[child] > child + 1 && level < 3 && box[2] > 60 && box[3] > 44) {
        part.classList.add("folder");
        nest(part, child, box[2], box[3], level + 1);
      } else {
        part.style.backgroundColor = colour(view.layer[child]);
        if (view.useless[child] > view.bytes[child] / 2 && state.mode !== "useless") part.classList.add("useless");
      }
      element.append(part);
    });
  }

  function showCrumbs(total, count) {
    const parts = [];
    const top = { image: "Image", layers: "Layers", useless: "Useless bytes" }[state.mode];
    const add = (name, change, isLast) => parts.push(make("button", {
      type: "button", textContent: name, click: () => go(change), ...(isLast ? { "aria-current": "location" } : {}),
    }), "/");
    add(top, { layer: -1, node: 0 }, false);
    if (state.mode === "layers" && state.layer >= 0) add(`Layer ${state.layer + 1}`, { node: 0 }, state.node === 0);
    const way = [];
    for (let node = state.node; node > 0; node = tree.parents[node]) way.unshift(node);
    way.forEach((node) => add(tree.names[node], { node }, node === state.node));
    parts.pop();
    $("crumbs").replaceChildren(...parts,
      make("span", { className: "faint", textContent: ` ${bytesText(total)} in ${countText(count)} ${count === 1 ? "entry" : "entries"}` }));
  }

  function pick(item) {
    if (!item.node) return;
    const versions = tree.places.map((_, version) => version).filter((version) =>
      tree.places[version] === item.node);
    const texts = versions.map((version) => `${bytesText(tree.sizes[version])} in layer ${tree.holders[version] + 1}`
      + (layers[tree.holders[version]].lines ? ` (${lineText(tree.holders[version])})` : "")
      + (tree.reasons[version] ? `, ${reasons[tree.reasons[version]]}` : ""));
    $("picked").textContent = `${path(item.node)}: ${texts.join("; ")}`;
    if (versions.length > 0) selectLayer(tree.holders[versions[versions.length - 1]]);
  }

  // ---- Tables ----

  const inMap = (node) => make("button", {
    type: "button", textContent: path(node), title: "Show it in the treemap",
    click: () => { go({ mode: state.mode === "layers" ? "image" : state.mode, layer: -1, node: tree.parents[node] });
      pick({ node }); $("map").scrollIntoView({ block: "center" }); },
  });
  const layerCell = (index) => {
    const swatch = make("span", { className: "swatch" });
    swatch.style.background = colour(index);
    return make("span", {}, swatch, `${index + 1}`);
  };
  const pathColumn = { title: "Path", className: "path", value: (row) => tree.places[row], cell: (row) => inMap(tree.places[row]) };
  const sizeColumn = { title: "Size", isNumber: true, value: (row) => tree.sizes[row], cell: (row) => bytesText(tree.sizes[row]) };
  const layerColumn = { title: "Layer", isNumber: true, value: (row) => tree.holders[row], cell: (row) => layerCell(tree.holders[row]) };
  const lineColumn = { title: "Line", isNumber: true, value: (row) => parseInt(layers[tree.holders[row]].lines, 10) || 0,
    cell: (row) => layers[tree.holders[row]].lines || "" };
  const bySize = { index: 0, isDescending: true };
  const layerNumber = (title, value) => ({ title, isNumber: true, value, cell: (row) => bytesText(value(row)) });
  const tables = {
    files: new SortedTable($("files"), [sizeColumn, layerColumn, lineColumn, pathColumn], bySize),
    useless: new SortedTable($("useless"), [sizeColumn, layerColumn, lineColumn,
      { title: "Reason", value: (row) => reasons[tree.reasons[row]] }, pathColumn], bySize),
    layers: new SortedTable($("layers"), [
      { title: "Layer", isNumber: true, value: (row) => row, cell: layerCell },
      { title: "Line", isNumber: true, value: (row) => parseInt(layers[row].lines, 10) || 0, cell: (row) => layers[row].lines || "" },
      layerNumber("Size", (row) => layers[row].size), layerNumber("Useless", (row) => layers[row].useless),
      ...["added", "changed", "removed"].map((key) => ({
        title: key[0].toUpperCase() + key.slice(1), isNumber: true, value: (row) => layers[row][key][0],
        cell: (row) => countText(layers[row][key][0]) })),
      { title: "Step", className: "code", value: (row) => layers[row].command },
    ], { index: 0, isDescending: false }),
  };
  const tabs = ["files", "useless", "layers"];

  function showTable() {
    const matches = (version) => !matcher.test || matcher.test(tree.places[version]);
    const rows = { files: [], useless: [] };
    tree.places.forEach((_, version) => {
      if (!matches(version)) return;
      if (tree.reasons[version] === 0) rows.files.push(version); else rows.useless.push(version);
    });
    const sum = (list) => bytesText(list.reduce((total, version) => total + tree.sizes[version], 0));
    $("found").textContent = matcher.test
      ? `${countText(rows.files.length)} files, ${sum(rows.files)}; useless ${countText(rows.useless.length)}, ${sum(rows.useless)}` : "";
    tables.files.show(rows.files);
    tables.useless.show(rows.useless);
    tables.layers.show(layers.map((_, index) => index));
  }

  function showTab(name) {
    for (const other of tabs) {
      $(other).hidden = other !== name;
      $(`tab-${other}`).setAttribute("aria-selected", other === name);
    }
  }

  // ---- Search ----

  function search(text) {
    state.text = text;
    $("search").setAttribute("aria-invalid", "false");
    matcher.test = null;
    matcher.bytes = null;
    if (text !== "") {
      const isPattern = text.length > 2 && text.startsWith("/") && text.endsWith("/") && !text.slice(1, -1).includes("/");
      let matches = null;
      try {
        const expression = isPattern ? new RegExp(text.slice(1, -1), "i") : null;
        const wanted = text.toLowerCase();
        matches = expression ? (name) => expression.test(name) : (name) => name.toLowerCase().includes(wanted);
      } catch {
        $("search").setAttribute("aria-invalid", "true");
        $("found").textContent = "The expression between the slashes cannot be read.";
        return;
      }
      const known = new Map();
      matcher.test = (node) => {
        if (!known.has(node)) known.set(node, matches(path(node)));
        return known.get(node);
      };
      matcher.bytes = measure((version) => matcher.test(tree.places[version])).bytes;
    }
    showTable();
    showMap();
  }

  // ---- Where the reader is; also in the address, so that the browser goes back ----

  function go(change, isSilent) {
    Object.assign(state, change);
    if (state.mode !== "layers") state.layer = -1;
    $("picked").textContent = "";
    for (const mode of ["image", "layers", "useless"]) $(`mode-${mode}`).setAttribute("aria-pressed", mode === state.mode);
    if (!isSilent) {
      const words = new URLSearchParams({ view: state.mode, path: path(state.node) });
      if (state.layer >= 0) words.set("layer", state.layer + 1);
      history.pushState(null, "", "#" + words);
    }
    showMap();
  }

  function goToAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    const mode = ["image", "layers", "useless"].includes(words.get("view")) ? words.get("view") : "image";
    const layer = Number.parseInt(words.get("layer"), 10) - 1;
    let node = 0;
    for (const name of (words.get("path") || "").split("/").filter(Boolean)) {
      const child = children(node).find((child) => tree.names[child] === name);
      if (child === undefined) break;
      node = child;
    }
    go({ mode, layer: layers[layer] ? layer : -1, node }, true);
  }

  function goUp() {
    if (state.node > 0) go({ node: tree.parents[state.node] });
    else if (state.layer >= 0) go({ layer: -1 });
  }

  // ---- Keys ----

  /// Moves the focus to the nearest cell in a direction.
  function moveFocus(x, y) {
    const cells = [...$("map").children].filter((element) => element.tagName === "BUTTON");
    const from = document.activeElement.getBoundingClientRect();
    const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
    const [left, top] = middle(from);
    let [best, distance] = [null, Infinity];
    for (const element of cells) {
      const [otherLeft, otherTop] = middle(element.getBoundingClientRect());
      const along = (otherLeft - left) * x + (otherTop - top) * y;
      const across = Math.abs((otherLeft - left) * y) + Math.abs((otherTop - top) * x);
      if (along > 1 && along + 2 * across < distance) [best, distance] = [element, along + 2 * across];
    }
    if (best) best.focus();
  }

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = document.activeElement === $("search");
    const isInMap = $("map").contains(document.activeElement);
    const isInStrip = $("strip").contains(document.activeElement);
    const arrow = arrows[event.key];
    if (event.key === "Escape") {
      if (state.text !== "") { $("search").value = ""; search(""); } else if (!isTyping) goUp();
      if (isTyping) $("search").blur();
    } else if (isTyping) {
      return;
    } else if (event.key === "/") {
      $("search").focus();
    } else if (event.key === "t") {
      toggleTheme();
    } else if (event.key === "Backspace") {
      goUp();
      const first = $("map").querySelector("button");
      if (first) first.focus();
    } else if (event.key === "Enter" && isInMap) {
      document.activeElement.click();
      const first = $("map").querySelector("button");
      if (first && !$("map").contains(document.activeElement)) first.focus();
    } else if (arrow && isInMap) {
      moveFocus(...arrow);
    } else if (arrow && isInStrip) {
      selectLayer(state.strip + arrow[0] + arrow[1], true);
    } else {
      return;
    }
    event.preventDefault();
  });

  // ---- The beginning ----

  for (const mode of ["image", "layers", "useless"]) $(`mode-${mode}`).addEventListener("click", () => go({ mode, layer: -1, node: 0 }));
  for (const name of tabs) $(`tab-${name}`).addEventListener("click", () => showTab(name));
  let pending = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(() => search($("search").value.trim()), 120);
  });
  addEventListener("popstate", goToAddress);
  const largest = layers.reduce((best, layer, index) => (layer.size > layers[best].size ? index : best), 0);
  state.strip = largest;
  showFacts();
  const toggleTheme = startThemes(() => {});
  showStrip();
  goToAddress();
  showTable();
  showTab("files");
  let known = $("map").clientWidth;
  new ResizeObserver(() => {
    if ($("map").clientWidth !== known) { known = $("map").clientWidth; showMap(); }
  }).observe($("map"));
  document.body.dataset.ready = "true";
})();
