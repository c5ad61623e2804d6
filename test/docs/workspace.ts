import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";
import { fixture, root } from "../support/paths.js";
import type { CodeBlock } from "./codeBlocks.js";
import type { Page } from "./pages.js";

/** Where the lines of a written file come from. */
interface Origin {
  /** The document's path in the repository. */
  readonly document: string;
  /** The page that it belongs to. */
  readonly page: string;
  /** What is added to a line of the file to get that of the document. */
  readonly shift: number;
}

/** A file to run, and the folder to run it in. */
export interface Program {
  /** Its document and line. */
  readonly place: string;
  readonly folder: string;
  readonly block: CodeBlock;
}

/** The code of pages, as files in a temporary folder in which their imports resolve. */
export interface Workspace {
  readonly folder: string;
  /** By absolute path. */
  readonly files: ReadonlyMap<string, Origin>;
  readonly programs: readonly Program[];
  remove(): Promise<void>;
}

/** The packages that must be the root's, though `test/fixtures/ecosystem` has others of that name, or none. */
const LINKED = ["@grest-ts/websocket", "react", "react-dom", "@types/node"];

/**
 * Writes the code of pages into a folder of their own, in `test/fixtures/ecosystem/.docs`: from there the packages of
 * `test/fixtures/ecosystem` and of the root resolve. With `sources` this package resolves to `src`, else to its build.
 */
export async function writeWorkspace(pages: readonly Page[], sources = false): Promise<Workspace> {
  const parent = fixture("ecosystem/.docs");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "pages-"));
  const files = new Map<string, Origin>();
  const programs: Program[] = [];

  async function write(path: string, text: string, origin?: Origin): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (origin) files.set(path, origin);
  }

  await write(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  const alias = sources
    ? Object.entries(sourcePaths).map(
        ([name, [path]]) => `{ find: /^${name.replaceAll("/", "\\/")}$/, replacement: "${path}" }`,
      )
    : [];
  const test = `{ setupFiles: ["${join(root, "test/docs/noRootScope.mjs")}"] }`;
  await write(join(folder, "vitest.config.js"), `export default { resolve: { alias: [${alias}] }, test: ${test} };`);
  await write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: optionsOf(sources) }));
  for (const name of LINKED) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(name === "@grest-ts/websocket" ? root : join(root, "node_modules", name), link);
  }
  for (const { name, path, code, context } of pages) {
    const origin = (shift: number): Origin => ({ document: path, page: name, shift });
    for (const [index, edition] of code.editions.entries()) {
      const place = join(folder, index ? `${name}@${index}` : name);
      for (const block of edition) {
        await write(join(place, block.path), block.code, origin(block.line - 1));
        if (block.runs) programs.push({ place: `${path}:${block.line}`, folder: place, block });
      }
    }
    const place = join(folder, `${name}@fragments`);
    if (context) await write(join(place, "context.ts"), context.code, { document: context.path, page: name, shift: 0 });
    for (const block of code.fragments) {
      const head = context ? importOf(context.code, block.code) : "export {};";
      await write(join(place, block.path), `${head}\n${block.code}`, origin(block.line - 2));
    }
  }
  return { folder, files, programs, remove: () => rm(folder, { recursive: true }) };
}

const entries = ["redis", "cluster", "react", "asyncapi", "inspect"];

/** Where the sources of this package are, by what is imported. */
const sourcePaths: Readonly<Record<string, readonly [string]>> = {
  "@grest-ts/websocket": [join(root, "src/index.ts")],
  ...Object.fromEntries(
    entries.map((entry) => [`@grest-ts/websocket/${entry}`, [join(root, `src/index.${entry}.ts`)] as const]),
  ),
  "@grest-ts/websocket/testkit": [join(root, "testkit/index-testkit.ts")],
  "@grest-ts/websocket/testkit/framework": [join(root, "testkit/framework.ts")],
};

/** The options that a page's code is compiled with, as in a `tsconfig.json`. */
export function optionsOf(sources: boolean): Record<string, unknown> {
  return {
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    types: ["node"],
    jsx: "react-jsx",
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    ...(sources && { paths: sourcePaths }),
  };
}

/** Imports from a context what a fragment does not declare or import itself. */
function importOf(context: string, fragment: string): string {
  const own = declaredNames(fragment, () => true);
  const names = [...declaredNames(context, isExported)].filter((name) => !own.has(name));
  return `import { ${names.join(", ")} } from "./context.js";`;
}

const isExported = (statement: ts.Statement): boolean =>
  ts.isExportDeclaration(statement) ||
  (ts.canHaveModifiers(statement) &&
    !!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword));

/** The names that the top level of a module declares, in statements for which `counts` is true. */
function declaredNames(code: string, counts: (statement: ts.Statement) => boolean): Set<string> {
  const names = new Set<string>();
  const add = (name: ts.BindingName | undefined): void => {
    if (!name) return;
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) add(element.name);
  };
  for (const statement of ts.createSourceFile("code.tsx", code, ts.ScriptTarget.Latest).statements) {
    if (!counts(statement)) continue;
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) add(name);
    else if (ts.isExportDeclaration(statement)) {
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        for (const { name } of statement.exportClause.elements) names.add(name.text);
      else throw new Error(`${code.slice(statement.pos, statement.end).trim()}: name what is exported`);
    } else if (ts.isImportDeclaration(statement)) {
      const { importClause } = statement;
      add(importClause?.name);
      const { namedBindings } = importClause ?? {};
      if (namedBindings && ts.isNamespaceImport(namedBindings)) add(namedBindings.name);
      else for (const { name } of namedBindings?.elements ?? []) add(name);
    } else if (
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isEnumDeclaration(statement)
    )
      add(statement.name);
  }
  return names;
}
