// Draws each chart in the colours of the page, again when it turns light or dark.
(() => {
  const specs = JSON.parse(document.getElementById("data-charts").textContent);
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const draw = () => {
    const [ink, muted, line] = ["ink", "muted", "line"].map(colour);
    const config = {
      background: "transparent",
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: { labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      legend: { labelColor: ink, titleColor: muted, labelFontSize: 12 },
      header: { labelColor: ink, titleColor: muted },
      rule: { color: muted },
      text: { color: muted },
    };
    for (const [id, spec] of Object.entries(specs)) {
      vegaEmbed(`#chart-${id}`, spec, { actions: false, renderer: "svg", config });
    }
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
