/** The import direction: contract ← protocol ← socket ← transport ← raw ← server | client. `protocol` stands alone. */
const layers = ["contract", "protocol", "socket", "transport", "raw", "server", "client"];
const may = {
  contract: [],
  protocol: [],
  socket: ["contract", "protocol"],
  transport: ["contract", "protocol", "socket"],
  raw: ["contract", "protocol", "socket", "transport"],
  server: ["contract", "protocol", "socket", "transport", "raw"],
  client: ["contract", "protocol", "socket", "transport", "raw"],
};

const direction = layers.map((layer) => ({
  name: `${layer}-imports`,
  comment: `src/${layer} may import only ${may[layer].map((name) => `src/${name}`).join(", ") || "nothing of the other folders"}`,
  severity: "error",
  from: { path: `^src/${layer}/` },
  to: { path: "^src/", pathNot: `^src/(${[layer, ...may[layer]].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...direction,
    {
      name: "protocol-stands-alone",
      comment: "the wire needs no package at all",
      severity: "error",
      from: { path: "^src/protocol/" },
      to: { pathNot: "^src/protocol/" },
    },
    {
      name: "no-cycles",
      comment: "type-only imports may meet in a circle, code may not",
      severity: "error",
      from: { path: "^(src|testkit)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "browser-without-node",
      comment: "what a browser bundles must reach neither ws nor a Node module",
      severity: "error",
      from: { path: "^src/index\\.browser(\\.development)?\\.ts$" },
      to: { reachable: true, path: "^(node_modules/ws/|src/server/|src/transport/(ws|asyncScope)\\.ts)" },
    },
    {
      name: "known-packages-only",
      comment: "at run time: ws and the five peers, and vitest in the test kit",
      severity: "error",
      from: { path: "^(src|testkit)/" },
      to: {
        dependencyTypesNot: ["local", "core", "localmodule", "type-only"],
        pathNot: "(^|/)(ws|vitest|packages/(schema|context|http|metrics|discovery))/",
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: ["node_modules", "^packages/"] },
  },
};
