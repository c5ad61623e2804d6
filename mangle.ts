import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(fileURLToPath(import.meta.url));

/** Where members are declared that have to keep their names in a page: to its program, by the neighbours, by platforms. */
const FOREIGN: readonly (readonly [folder: string, files: RegExp])[] = [
  ["dist", /^[\w-]+\.d\.ts$/],
  ...["context", "locator", "metrics", "schema", "trace"].map((name) => [`packages/${name}/dist`, /\.d\.ts$/] as const),
  ["node_modules/typescript/lib", /^lib\.(dom|es\d|esnext).*\.d\.ts$/],
  // Where there is a `process`, its `nextTick` is used.
  ["node_modules/@types/node", /^(globals|process|timers)\.d\.ts$/],
];

/** What a page may load. */
const PAGE = /^((protocol|api|transport|connection|client)\b.*|shared|index\.browser.*)\.ts$/;

/**
 * The members that get short names in the build for pages: those that are declared in what a page may load and nowhere else,
 * so that no program, neighbour or platform ever sees them. The declarations of this package must have been built before.
 */
export function internalMembers(): string[] {
  if (!existsSync(join(root, "dist/index.d.ts"))) throw new Error("There are no declarations: build these first.");
  const foreign = new Set(FOREIGN.flatMap(([folder, files]) => membersIn(folder, files)));
  return [...new Set(membersIn("src", PAGE))].filter((name) => !foreign.has(name) && name !== "__proto__").sort();
}

/** The names of all members in the files of a folder, and of the folders in it. */
function membersIn(folder: string, ending: RegExp): string[] {
  const files = readdirSync(join(root, folder), { encoding: "utf8", recursive: true });
  return files.filter((file) => ending.test(file)).flatMap((file) => membersOf(join(root, folder, file)));
}

/** The names of all members that a file of code or declarations declares. */
export function membersOf(file: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isClassElement(node) || ts.isTypeElement(node) || ts.isObjectLiteralElement(node)) && node.name) {
      if (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name)) names.push(node.name.text);
    }
    if (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent) && ts.isIdentifier(node.name)) {
      names.push(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  return names;
}
