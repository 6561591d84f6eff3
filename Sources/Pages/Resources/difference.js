// The page of `lamina diff`: the two images, and a table for each kind of difference.

(async () => {
  const data = await pageData();
  const side = (name) => data[name];
  const valueText = (value) => value === null ? "–" : visibleText(typeof value === "string" ? value : JSON.stringify(value));
  const modeOf = (file) => (file ? `${file.kind} ${file.mode} ${file.owner}:${file.group}` : "–");
  const layerOf = (row) => row.new ? side("new").layers[row.new.layer] : side("old").layers[row.old.layer];
  const text = (title, value, className) => ({ title, value, cell: (row) => visibleText(String(value(row))), className });
  const number = (title, value) => ({ title, isNumber: true, value });
  const change = (value) => ({ title: "Size", isNumber: true, value: (row) => value(row) ?? 0,
    cell: (row) => (value(row) === null ? "" : growth(value(row))) });
  const stepOf = (row) => side(row.image).layers[row.layer];

  const tables = [
    { name: "Files", rows: data.files, order: { index: 1, isDescending: true }, columns: [
      text("Change", (row) => row.change),
      { title: "Size", isNumber: true, value: (row) => Math.abs(row.sizeChangeBytes), cell: (row) => growth(row.sizeChangeBytes) },
      text("Path", (row) => row.path, "path"), text("Cause", (row) => row.causes.join(", ")),
      text("Line", (row) => layerOf(row).lines ?? ""), text("Old", (row) => modeOf(row.old), "mode"),
      text("New", (row) => modeOf(row.new), "mode") ] },
    { name: "Packages", rows: data.packages, order: { index: 1, isDescending: false }, columns: [
      text("Manager", (row) => row.manager), text("Package", (row) => row.name),
      text("Old", (row) => row.old.join(", ") || "–"), text("New", (row) => row.new.join(", ") || "–"),
      change((row) => row.sizeChangeBytes) ] },
    { name: "Config", rows: data.config, order: { index: 0, isDescending: false }, columns: [
      text("Field", (row) => row.field, "path"),
      text("Old", (row) => valueText(row.old), "code"), text("New", (row) => valueText(row.new), "code") ] },
    { name: "Steps", rows: data.steps, order: { index: 7, isDescending: true }, columns: [
      text("Image", (row) => row.image), number("Layer", (row) => row.layer + 1),
      text("Line", (row) => stepOf(row).lines ?? ""), number("Added", (row) => row.added),
      number("Removed", (row) => row.removed), number("Changed", (row) => row.changed),
      number("Time only", (row) => row.timeOnly),
      { title: "Size", isNumber: true, value: (row) => Math.abs(row.sizeChangeBytes), cell: (row) => growth(row.sizeChangeBytes) },
      text("Step", (row) => stepOf(row).source || stepOf(row).command || "", "code") ] },
  ];

  for (const table of tables) {
    table.host = make("div");
    table.tab = make("button", { type: "button", role: "tab", click: () => showTab(table) });
    $("tabs").append(table.tab);
    $("tables").append(table.host);
    table.view = new SortedTable(table.host, table.columns, table.order);
    table.words = new Map();
  }

  function wordsOf(table, row) {
    if (!table.words.has(row)) {
      table.words.set(row, table.columns.map((column) => String(column.value(row))).join(" ").toLowerCase());
    }
    return table.words.get(row);
  }

  function search(wanted) {
    const lower = wanted.toLowerCase();
    for (const table of tables) {
      const rows = lower === "" ? table.rows : table.rows.filter((row) => wordsOf(table, row).includes(lower));
      table.tab.textContent = `${table.name} ${countText(rows.length)}`;
      table.view.show(rows);
    }
  }

  function showTab(shown) {
    for (const table of tables) {
      table.host.hidden = table !== shown;
      table.tab.setAttribute("aria-selected", table === shown);
    }
  }

  const fact = (value, label) => make("div", {}, make("b", {}, value), make("span", { textContent: label }));
  const summary = data.summary;
  $("images").append(...["old", "new"].map((name) => make("div", {},
    make("b", { textContent: visibleText(side(name).name) }), make("br"),
    make("span", { className: "faint", textContent:
      `${name}: ${bytesText(side(name).sizeBytes)} in ${side(name).layers.length} layers, ${data.commonLayers} in common` }))));
  $("facts").append(
    fact(growth(summary.sizeChangeBytes), "size of the files"), fact(countText(summary.added), "files added"),
    fact(countText(summary.removed), "files removed"), fact(countText(summary.changed), "files changed"),
    fact(countText(summary.timeOnly), "differ in their time only"));
  search("");
  showTab(tables.find((table) => table.rows.length > 0) || tables[0]);
  $("search").addEventListener("input", () => search($("search").value.trim()));
  const toggleTheme = startThemes(() => {});
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = document.activeElement === $("search");
    if (event.key === "Escape" && isTyping) {
      $("search").value = "";
      search("");
      $("search").blur();
    } else if (event.key === "/" && !isTyping) {
      $("search").focus();
      event.preventDefault();
    } else if (event.key === "t" && !isTyping) {
      toggleTheme();
    }
  });
  document.body.dataset.ready = "true";
})();
