import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../support/paths.js";
import { codeOf, type PageCode, packagesOf } from "./codeBlocks.js";

/** A page whose code is tested. */
export interface Page {
  /** The name of its file without `.md`. */
  readonly name: string;
  /** Its path in the repository. */
  readonly path: string;
  readonly code: PageCode;
  /** The module whose exports its fragments see, if it has one. */
  readonly context?: { readonly path: string; readonly code: string };
}

/** Makes a page of a document of the repository. */
export function pageOf(path: string, markdown = readFileSync(join(root, path), "utf8")): Page {
  const name = basename(path, ".md");
  const context = `test/docs/context/${name}.ts`;
  const code = codeOf(markdown);
  if (!existsSync(join(root, context))) return { name, path, code };
  return { name, path, code, context: { path: context, code: readFileSync(join(root, context), "utf8") } };
}

/** All pages with code, or those named in `DOCS`, separated by commas. */
export function readPages(): Page[] {
  const wanted = process.env.DOCS?.split(",");
  return ["README.md", ...pagesOfDocs()]
    .map((path) => pageOf(path))
    .filter(({ name }) => !wanted || wanted.includes(name));
}

/** The pages of `docs`. Names in capitals are copies of the root's documents, made for the site. */
export function pagesOfDocs(): string[] {
  const folder = join(root, "docs");
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.filter((file) => /^[a-z].*\.md$/.test(file)).map((file) => `docs/${file}`);
}

/** Whether a page takes what only `test/fixtures/ecosystem` has. */
export function needsEcosystem({ code, context }: Page): boolean {
  const { dependencies } = JSON.parse(readFileSync(join(root, "test/fixtures/ecosystem/package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const used = packagesOf(code);
  if (context) for (const name of packagesOf(codeOf(`\`\`\`ts\n${context.code}\n\`\`\``))) used.add(name);
  return Object.keys(dependencies).some((name) => used.has(name));
}
