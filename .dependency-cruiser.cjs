/** The rooms of the house, and what each may import of the others. Nothing points upwards. */
const rooms = {
  protocol: [],
  api: ["protocol"],
  transport: ["protocol"],
  connection: ["api", "transport", "protocol"],
  client: ["connection", "api", "transport", "protocol"],
  groups: ["connection", "api", "transport", "protocol"],
  server: ["groups", "connection", "api", "transport", "protocol"],
  redis: ["groups", "connection", "api", "protocol"],
  cluster: ["groups", "connection", "api", "protocol"],
  react: ["api"],
  asyncapi: ["api", "protocol"],
  inspect: ["api", "protocol"],
};

const direction = Object.entries(rooms).map(([room, may]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import only ${may.map((name) => `src/${name}`).join(", ") || "nothing of the other rooms"}`,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: `^src/(${[room, ...may].join("|")})/` },
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
      comment: "what a browser bundles must reach neither ws, nor a folder or file named node, nor a module of Node",
      severity: "error",
      from: { path: "^src/index\\.browser(\\.development)?\\.ts$" },
      // A module of Node has a name without a dot, which no file has.
      to: {
        reachable: true,
        path: [
          "^node_modules/ws/",
          "^src/(server|groups|redis|cluster|react|asyncapi|inspect)/",
          "^src/.*/node/",
          "/node\\.ts$",
          "^[^.]+$",
        ],
      },
    },
    {
      name: "redis-for-its-entry-only",
      comment: "the optional peer belongs to one entry",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/redis/" },
      to: { path: "(^|/)(redis|@redis/[^/]+)/", pathNot: "^src/redis/" },
    },
    {
      name: "react-for-its-entry-only",
      comment: "the optional peer belongs to one entry",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/react/" },
      to: { path: "(^|/)(react|react-dom|@types/react)/", pathNot: "^src/react/" },
    },
    {
      name: "known-packages-only",
      comment: "at run time: ws and the five peers, vitest in the test kit, redis and react in their entries",
      severity: "error",
      from: { path: "^(src|testkit)/", pathNot: "^src/(redis|react)/" },
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
