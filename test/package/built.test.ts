import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { internalMembers, membersOf } from "../../mangle.js";
import { fixture, root } from "../support/paths.js";

const run = promisify(execFile);

/** The file of an export, or the files by condition. */
type Target = string | { readonly [condition: string]: Target };

interface Manifest {
  readonly exports: Readonly<Record<string, Target>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const peers = Object.keys(manifest.peerDependencies).filter((name) => !manifest.peerDependenciesMeta[name]?.optional);
const filesOf = (target: Target): string[] =>
  typeof target === "string" ? [target.replace("./", "")] : Object.values(target).flatMap(filesOf);
const exported = filesOf(manifest.exports);

/** What a file imports, statically and dynamically. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), "utf8"), true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

/** The packages and built-in modules that a built file needs, its chunks included. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const specifier of importsOf(file)) {
    if (!specifier.startsWith(".")) packages.add(specifier);
    else for (const name of packagesOf(join(dirname(file), specifier), seen)) packages.add(name);
  }
  return packages;
}

beforeAll(() => {
  const siblings = peers.map((name) => `packages/${name.replace("@grest-ts/", "")}/dist/index.js`);
  const missing = [...exported, ...siblings].filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) throw new Error(`Nothing to test: ${missing.join(", ")} missing. Run "npm run build" first.`);
});

describe("the built package in Node", () => {
  it("serves and calls in a program that imports it by name, and lets the program end", async () => {
    // A program that does not end by itself is killed, and `run` rejects.
    const { stdout, stderr } = await run(process.execPath, [fixture("package/serveAndCall.mjs")], { timeout: 20_000 });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      module: "dist/index.js",
      testkit: "testkit/index-testkit.js",
      greeting: "Hello Ann, here",
      news: ["Ann was greeted"],
      invalid: "VALIDATION_ERROR",
      raw: "ROUTE_NOT_FOUND",
      closeCode: 4001,
    });
  }, 30_000);

  it("shows the sentence of an error in consoles", async () => {
    const program = `
      import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
      const contract = defineSocketContract("Built", { clientToServer: { tell: {} }, serverToClient: {} });
      const client = webSocketSchema(contract).path("ws").done().createClient({ url: "ws://127.0.0.1:1" });
      console.log(await client.outgoing.tell().asResult());
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
    expect(stdout).toContain("SERVER_ERROR: Built.tell was not sent: the client is not connected");
  });

  it("imports only its dependencies, its peers and Node", () => {
    const needed = [...packagesOf("dist/index.js")].filter((name) => !isBuiltin(name));
    expect(needed.sort()).toEqual([...peers, ...Object.keys(manifest.dependencies)].sort());
  });
});

describe("the built package in a browser", () => {
  type Build = typeof import("@grest-ts/websocket");
  const load = (file: string) => import(join(root, "dist", file)) as Promise<Build>;
  const builds = ["index.browser.js", "index.browser.development.js"];

  it("checks definitions in development, and not in production", async () => {
    const [production, development] = await Promise.all(builds.map(load));
    const mistakes: ((build: Build) => unknown)[] = [
      ({ defineSocketContract }) => defineSocketContract("Chat Api", methods),
      ({ defineSocketContract }) =>
        defineSocketContract("ChatApi", { ...methods, clientToServer: { ping: { permission: " " } } }),
      ({ webSocketSchema }) => webSocketSchema(contract).path("ws chat"),
      ({ webSocketSchema }) => webSocketSchema(contract).connectPermission(""),
      ({ webSocketSchema }) => webSocketSchema(contract).done(),
    ];
    const methods = { clientToServer: {}, serverToClient: {} };
    const contract = { name: "ChatApi", methods };
    for (const mistake of mistakes) {
      expect(() => mistake(development as Build)).toThrow(/Chat ?Api/);
      expect(() => mistake(production as Build)).not.toThrow();
    }
  });

  it.each(builds)("exports and creates the same in production and in development (%s)", async (file) => {
    const build = await load(file);
    const inNode = await load("index.js");
    expect(Object.keys(build).sort()).toEqual(Object.keys(inNode).sort());
    const define = ({ defineSocketContract, webSocketSchema }: Build) => {
      const contract = defineSocketContract("ChatApi", {
        clientToServer: { ping: { permission: "chat" } },
        serverToClient: { news: {} },
      });
      return webSocketSchema(contract).path("ws/chat").use({}).connectPermission("chat").done();
    };
    const schema = define(build);
    // Its functions are its own.
    expect(JSON.stringify(schema)).toEqual(JSON.stringify(define(inNode)));
    expect(Object.keys(schema)).toEqual(Object.keys(define(inNode)));
    const { methods } = schema;
    const frozen = [schema.middlewares, schema.contract, methods, methods.clientToServer, methods.serverToClient];
    for (const part of [...frozen, methods.clientToServer.ping, methods.serverToClient.news]) {
      expect(part).toSatisfy(Object.isFrozen);
    }
  });

  it("shortens the names of internal members only, never those declared to programs or by platforms", () => {
    const internal = internalMembers();
    expect(internal.length).toBeGreaterThan(50);
    const programs = ["createClient", "isConnected", "onOpen", "stop"];
    const neighbours = ["safeParse", "traceId"];
    // Members of the platform, such as `navigator.connection.effectiveType`.
    const platforms = ["connection", "effectiveType", "scope", "nextTick", "unref"];
    for (const name of [...programs, ...neighbours, ...platforms]) expect(internal).not.toContain(name);
    const [production, development] = builds.map((file) => new Set(membersOf(join(root, "dist", file))));
    expect(internal.filter((name) => production?.has(name))).toEqual([]);
    expect(internal.filter((name) => development?.has(name)).length).toBeGreaterThan(50);
  });

  it.each(builds)("imports neither ws nor a module of Node (%s)", (file) => {
    const needed = [...packagesOf(`dist/${file}`)];
    expect(needed).toContain("@grest-ts/schema");
    expect(needed.filter((name) => name === "ws" || isBuiltin(name) || !peers.includes(name))).toEqual([]);
  });

  it("leaves the pool out of pages that do not use it", async () => {
    const bundle = async (name: string) => {
      const { outputFiles } = await build({
        stdin: { contents: `export { ${name} } from "./dist/index.browser.js";`, resolveDir: root },
        bundle: true,
        format: "esm",
        write: false,
        external: peers,
        tsconfigRaw: {},
      });
      return outputFiles[0]?.text;
    };
    expect(await bundle("GGSocketPool")).toContain("getConnectionKeys");
    expect(await bundle("webSocketSchema")).not.toContain("getConnectionKeys");
  });

  it("bundles for a page together with its peers", async () => {
    const result = await build({
      entryPoints: [fixture("package/browser.mjs")],
      bundle: true,
      platform: "browser",
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent",
      // The repository's own paths lead to the sources.
      tsconfigRaw: {},
      absWorkingDir: root,
    });
    const inputs = Object.keys(result.metafile.inputs);
    expect(inputs).toContain("dist/index.browser.js");
    expect(inputs).not.toContain("dist/index.js");
    expect(inputs.filter((file) => /node_modules\/ws\//.test(file))).toEqual([]);
    const external = Object.values(result.metafile.outputs).flatMap(({ imports }) => imports);
    expect(external).toEqual([]);
  });
});

describe("the published package", () => {
  it("contains the output of the build and the documents, and nothing else", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
    const [pack] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
    const published = pack.files.map(({ path }) => path).sort();
    const documents = ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "PROTOCOL.md", "README.md", "SECURITY.md"];
    // Those that the site copies there are no pages of their own.
    const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md") && !documents.includes(file));
    const dist = readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(root, join(parentPath, name)));
    expect(pages).toContain("getting-started.md");
    const inDocs = pages.map((file) => `docs/${file}`);
    expect(published).toEqual([...documents, ...inDocs, ...dist, "package.json"].sort());
    expect(published).toEqual(expect.arrayContaining(["LICENSE", "PROTOCOL.md", ...exported]));
    const made =
      /^dist\/((index(\.browser(\.development)?|\.redis|\.cluster|\.react|\.asyncapi|\.inspect)?|chunk-\w+|testkit\/index-testkit)\.js(\.map)?|[\w.]+(-[\w-]+)?\.d\.ts|testkit\/(framework\.js|[\w-]+\.d\.ts))$/;
    expect(dist.filter((file) => !made.test(file))).toEqual([]);
  }, 30_000);

  it("has declarations that import only those of the peers", () => {
    const all = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" });
    // The framework's test kit and React are optional peers, each of one entry alone.
    const entries = ["testkit/framework.d.ts", "index.react.d.ts"];
    const declarations = all.filter((file) => file.endsWith(".d.ts") && !entries.includes(file));
    const imported = declarations.flatMap((file) => importsOf(`dist/${file}`));
    const needed = new Set(imported.filter((specifier) => !specifier.startsWith(".")));
    expect([...needed].filter((name) => !peers.includes(name))).toEqual([]);
    expect(needed).toContain("@grest-ts/schema");
  });
});
