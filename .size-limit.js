/** What a page pays for the client: all that it brings but the schema package, which a page has for its own sake. */
export default [
  {
    name: "browser client without @grest-ts/schema",
    path: "dist/index.browser.js",
    import: "{ defineSocketContract, webSocketSchema }",
    gzip: true,
    limit: "12.1 kB",
    // size-limit leaves out all peers by itself; the other ones count.
    modifyEsbuildConfig: (config) => ({
      ...config,
      external: ["@grest-ts/schema"],
      format: "esm",
      platform: "browser",
      target: "es2022",
      tsconfigRaw: {},
    }),
  },
];
