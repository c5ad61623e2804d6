// size-limit leaves out all peers by itself; the other ones count.
const modifyEsbuildConfig = (config) => ({
  ...config,
  external: ["@grest-ts/schema"],
  format: "esm",
  platform: "browser",
  target: "es2022",
  tsconfigRaw: {},
});

const page = { path: "dist/index.browser.js", gzip: true, modifyEsbuildConfig };

/** What a page pays for the client: all that it brings but the schema package, which a page has for its own sake. */
export default [
  {
    ...page,
    name: "browser client without @grest-ts/schema",
    import: "{ defineSocketContract, webSocketSchema }",
    limit: "12.4 kB",
  },
  {
    ...page,
    name: "the same with resumeGroups",
    import: "{ defineSocketContract, resumeGroups, webSocketSchema }",
    limit: "13.25 kB",
  },
  {
    ...page,
    path: "dist/index.react.js",
    name: "the hooks for React, without react",
    import: "{ createHooks }",
    modifyEsbuildConfig: (config) => ({ ...modifyEsbuildConfig(config), external: ["react"] }),
    limit: "1.5 kB",
  },
];
