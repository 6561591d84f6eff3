// The page of `lamina explain`: the steps of a build on a time line, and why each of them ran.

(async () => {
  const data = await pageData();
  const steps = data.steps;
  const state = { shown: "all", selected: 0, text: "" };
  const timeText = (seconds) => seconds === null ? "" : seconds >= 100 ? `${seconds.toFixed(0)} s`
    : seconds >= 1 ? `${seconds.toFixed(1)} s` : `${(seconds * 1000).toFixed(0)} ms`;
  const isHit = (step) => step.outcome === "cached" || step.outcome === "unchanged";
  const isTimed = (step) => step.started !== null && step.ended !== null;
  const lasted = (step) => (isTimed(step) ? step.ended - step.started : 0);
  const kindOf = (step) => isHit(step) ? "hit" : step.outcome === "ran" ? "ran" : step.outcome === "failed" ? "failed" : "other";
  const label = (step) => visibleText((step.stage ? `[${step.stage}] ` : "") + step.instruction);
  const total = Math.max(data.duration, ...steps.map((step) => step.ended ?? 0), 0.001);

  const fact = (value, name, isBad) => make("div", {},
    make("b", { className: isBad ? "bad" : "", textContent: value }), make("span", { textContent: name }));

  function showFacts() {
    const work = steps.filter((step) => step.isWork);
    const hits = work.filter(isHit).length;
    $("facts").replaceChildren(
      fact(timeText(data.duration), data.status, data.status !== "succeeded"),
      fact(timeText(data.criticalDuration), "on the critical path"),
      fact(`${hits} of ${work.length}`, "steps from the cache"),
      fact(countText(steps.filter((step) => step.isMiss).length), "steps that the cache did not answer"),
      fact(data.comparedWith ? visibleText(data.comparedWith) : "none", "compared with build"));
  }

  function showAxis() {
    const marks = [0, 0.25, 0.5, 0.75].map((part) => {
      const mark = make("span", { textContent: timeText(part * total) });
      mark.style.left = `${part * 100}%`;
      return mark;
    });
    $("axis").replaceChildren(...marks);
  }

  const isShown = (step) => state.shown === "all" || (state.shown === "missed" ? !isHit(step) : step.isCritical);

  function showLine() {
    for (const name of ["all", "missed", "critical"]) $(`show-${name}`).setAttribute("aria-pressed", name === state.shown);
    const shown = steps.filter(isShown);
    if (!shown.includes(steps[state.selected]) && shown.length > 0) state.selected = steps.indexOf(shown[0]);
    $("line").replaceChildren(...shown.map((step) => {
      const index = steps.indexOf(step);
      const track = make("span", { className: "track" });
      if (isTimed(step)) {
        const span = make("span", { className: `span ${kindOf(step)}${step.isCritical ? " critical" : ""}` });
        span.style.left = `${(100 * step.started) / total}%`;
        span.style.width = `${(100 * lasted(step)) / total}%`;
        const time = make("span", { className: "time", textContent: isHit(step) ? "cached" : timeText(lasted(step)) });
        const end = (100 * step.ended) / total;
        if (end < 82) time.style.left = `calc(${end}% + 6px)`; else time.style.right = `calc(${100 - (100 * step.started) / total}% + 6px)`;
        track.append(span, time);
      } else {
        const time = make("span", { className: "time", textContent: step.outcome });
        time.style.left = "4px";
        track.append(time);
      }
      return make("button", {
        type: "button", className: "line", role: "option", title: label(step), "aria-selected": index === state.selected,
        tabindex: index === state.selected ? 0 : -1, "data-index": index, click: () => select(index, false),
      }, make("span", { className: "label", textContent: label(step) }), track);
    }));
    showStep();
  }

  function select(index, focuses) {
    state.selected = index;
    for (const row of $("line").children) {
      const isSelected = Number(row.dataset.index) === index;
      row.setAttribute("aria-selected", isSelected);
      row.tabIndex = isSelected ? 0 : -1;
      if (isSelected && focuses) row.focus();
    }
    showStep();
  }

  function showStep() {
    const step = steps[state.selected];
    if (!step) return $("step").replaceChildren("The build has no steps.");
    const place = step.line ? `, Dockerfile line ${step.line}` : "";
    const time = isTimed(step) ? `, ${timeText(lasted(step))} from ${timeText(step.started)} on` : "";
    const causes = step.causes.map((cause) => visibleText(cause.text)).join("\n");
    $("step").replaceChildren(make("b", { textContent: label(step) }), make("br"),
      `${step.outcome}${place}${time}${step.isCritical ? ", on the critical path" : ""}`
      + (causes ? `\n${causes}` : ""));
  }

  const table = new SortedTable($("steps"), [
    { title: "Line", isNumber: true, value: (step) => step.line ?? 0, cell: (step) => String(step.line ?? "") },
    { title: "Time", isNumber: true, value: lasted, cell: (step) => (isTimed(step) ? timeText(lasted(step)) : "") },
    { title: "Outcome", value: (step) => step.outcome },
    { title: "Step", className: "code", value: label },
    { title: "Cause", className: "path", value: (step) => step.causes.map((cause) => visibleText(cause.text)).join("; ") },
  ], { index: 1, isDescending: true });

  function showTable() {
    const wanted = state.text.toLowerCase();
    table.show(steps.filter((step) => wanted === ""
      || `${label(step)} ${step.outcome} ${step.causes.map((cause) => cause.text).join(" ")}`.toLowerCase().includes(wanted)));
  }

  for (const name of ["all", "missed", "critical"]) {
    $(`show-${name}`).addEventListener("click", () => { state.shown = name; showLine(); });
  }
  $("search").addEventListener("input", () => { state.text = $("search").value.trim(); showTable(); });
  const toggleTheme = startThemes(() => {});
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.activeElement === $("search")) return;
    const rows = [...$("line").children];
    const position = rows.findIndex((row) => Number(row.dataset.index) === state.selected);
    const next = rows[position + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0)];
    if (event.key === "t") toggleTheme();
    else if (event.key === "/") $("search").focus();
    else if (event.key.startsWith("Arrow") && next && $("line").contains(document.activeElement)) select(Number(next.dataset.index), true);
    else return;
    event.preventDefault();
  });
  showFacts();
  showAxis();
  const slowest = steps.reduce((best, step, index) => (lasted(step) > lasted(steps[best]) ? index : best), 0);
  state.selected = slowest;
  showLine();
  showTable();
  document.body.dataset.ready = "true";
})();
