const WIDTH = 760;
const LABEL = 170;
const BAR = 16;
const GAP = 6;
const TITLE = 34;

/** Bars of the server's CPU time per call for each workload of requests: shorter is better. */
export function picture({ results, machine, date }, contenders) {
  let y = 12;
  const parts = [];
  for (const [title, byContender] of Object.entries(results)) {
    const bars = Object.entries(byContender).map(([id, figures]) => [id, figures["CPU µs/call"]?.median]);
    if (bars.some(([, value]) => value === undefined)) continue;
    const longest = Math.max(...bars.map(([, value]) => value));
    parts.push(`<text x="0" y="${y + 18}" class="title">${title}: server CPU, µs per call</text>`);
    y += TITLE;
    for (const [id, value] of bars.sort((a, b) => a[1] - b[1])) {
      const width = Math.max((value / longest) * (WIDTH - LABEL - 70), 1);
      parts.push(
        `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${contenders[id].name}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3" class="${id.startsWith("grest") ? "own" : "other"}"/>`,
        `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 12}">${value.toPrecision(3)}</text>`,
      );
      y += BAR + GAP;
    }
    y += 12;
  }
  parts.push(
    `<text x="0" y="${y + 12}" class="small">${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${date}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 ${WIDTH + 16} ${y + 24}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>Server CPU time per call, in µs, of each contender in each workload of requests; shorter is better</title>
<style>text{fill:#1f2933}.title{font-size:14px;font-weight:600}.small{font-size:11px;fill:#52606d}.own{fill:#0f766e}.other{fill:#9aa5b1}
@media (prefers-color-scheme: dark){text{fill:#e4e7eb}.small{fill:#9aa5b1}.other{fill:#52606d}.own{fill:#2dd4bf}}</style>
${parts.join("\n")}
</svg>
`;
}
