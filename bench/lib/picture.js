const COLUMN = 372;
const COLUMN_GAP = 16;
const LABEL = 134;
const FIGURE = 34;
const BAR = 9;
const GAP = 7;
const TITLE = 30;
const TOP = 34;

/**
 * Bars of the server's CPU time per call for each workload of requests, one for each Node version: shorter is better. A
 * line over each bar goes from the lowest to the highest round.
 */
export function picture(tables, contenders) {
  const nodes = Object.keys(tables).sort((a, b) => b - a);
  const charts = chartsOf(tables, nodes);
  const parts = nodes.map((node, i) => legend(node, i));
  let y = TOP;
  for (let i = 0; i < charts.length; i += 2) {
    const row = charts.slice(i, i + 2).map((chart, column) => draw(chart, contenders, column, y));
    parts.push(...row.map(({ svg }) => svg));
    y = Math.max(...row.map(({ bottom }) => bottom)) + 14;
  }
  for (const node of nodes) {
    const { machine, date } = tables[node];
    y += 14;
    parts.push(
      `<text x="0" y="${y}" class="small">Node ${machine.node}: ${machine.cpu}, ${machine.cores} cores, ${date}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 ${2 * COLUMN + COLUMN_GAP + 8} ${y + 12}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>Server CPU time per call, in µs, of each contender in each workload of requests, on Node ${nodes.join(" and ")}; shorter is better</title>
<style>text{fill:#1f2933}.title{font-size:13px;font-weight:600}.small{font-size:10px;fill:#52606d}.own{fill:#0f766e}.other{fill:#9aa5b1}.older{opacity:.5}line{stroke:#1f2933}
@media (prefers-color-scheme: dark){text{fill:#e4e7eb}.small{fill:#9aa5b1}.other{fill:#7b8794}.own{fill:#2dd4bf}line{stroke:#f5f7fa}}</style>
${parts.join("\n")}
</svg>
`;
}

/** What is drawn of each workload: of each contender a bar for each version that has been measured, or none. */
function chartsOf(tables, nodes) {
  const titles = new Set(nodes.flatMap((node) => Object.keys(tables[node].results)));
  return [...titles].flatMap((title) => {
    const results = nodes.map((node) => tables[node].results[title] ?? {});
    const rows = [...new Set(results.flatMap(Object.keys))]
      .map((id) => ({ id, bars: results.map((byContender) => byContender[id]?.["CPU µs/call"]) }))
      .filter(({ bars }) => bars.some(Boolean))
      .sort((a, b) => first(a).median - first(b).median);
    return rows.length > 0 ? [{ title, rows }] : [];
  });
}

const first = ({ bars }) => bars.find(Boolean);

function draw({ title, rows }, contenders, column, top) {
  const left = column * (COLUMN + COLUMN_GAP);
  const longest = Math.max(...rows.flatMap(({ bars }) => bars.map((bar) => bar?.high ?? 0)));
  const scale = (COLUMN - LABEL - FIGURE) / longest;
  const parts = [`<text x="${left}" y="${top + 14}" class="title">${title}: server CPU, µs per call</text>`];
  let y = top + TITLE;
  for (const { id, bars } of rows) {
    const middle = y + (bars.length * BAR) / 2 + 4;
    parts.push(`<text x="${left + LABEL - 8}" y="${middle}" text-anchor="end">${contenders[id].name}</text>`);
    for (const [i, bar] of bars.entries()) {
      if (bar) parts.push(drawBar(bar, { x: left + LABEL, y: y + i * BAR, scale, style: styleOf(id, i) }));
    }
    y += bars.length * BAR + GAP;
  }
  return { svg: parts.join("\n"), bottom: y };
}

function drawBar({ median, low, high }, { x, y, scale, style }) {
  const at = (value) => (x + value * scale).toFixed(1);
  return `<rect x="${x}" y="${y}" width="${Math.max(median * scale, 1).toFixed(1)}" height="${BAR - 1}" rx="2" class="${style}"/>
<line x1="${at(low)}" x2="${at(high)}" y1="${y + (BAR - 1) / 2}" y2="${y + (BAR - 1) / 2}"/>
<text x="${(x + high * scale + 4).toFixed(1)}" y="${y + BAR - 1}" class="small">${median.toPrecision(3)}</text>`;
}

function legend(node, i) {
  const x = i * 90;
  return `<rect x="${x}" y="8" width="14" height="${BAR}" rx="2" class="${styleOf("grest", i)}"/>
<text x="${x + 20}" y="17">Node ${node}</text>`;
}

function styleOf(id, i) {
  return `${id.startsWith("grest") ? "own" : "other"}${i > 0 ? " older" : ""}`;
}
