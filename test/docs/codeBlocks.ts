/**
 * How code blocks of pages are tested. A page is `README.md` or a file of `docs/`; its name is that of the file without
 * `.md`. Every fence `ts` or `tsx` of a page, and every fence that names a file, is one of these:
 *
 * - A FILE, a fence with a path in brackets, "ts [shared/api.ts]". All files of a page are in one folder. They import each
 *   other relatively, with ".js", and packages by name, which resolve to the builds. A later block with the same path
 *   replaces the earlier one: what was there until then is checked as it was, and from then on as it is.
 * - A file that RUNS, "ts [server.ts] run": tsx runs it once it has been type-checked. It must end by itself within 60 s,
 *   with exit code 0. A file `*.test.ts` or `*.test.tsx` is run by vitest instead. Ports that it listens on are its own: a
 *   port in the text, such as 8080, is replaced by a free one in the whole process. With "run with main.ts" that file
 *   of the page runs meanwhile, a server: it prints something when it is ready, and ends with exit code 0 after SIGTERM.
 * - What a program PRINTS, a fence "text [server.ts]" after it: exactly this is on its standard output.
 * - A FRAGMENT, without a path. It is checked as a module of its own, so `await` and imports work, with the exports of
 *   `test/docs/context/<page>.ts` in scope, unless it declares or imports the name itself. Fragments are never run.
 *
 * The context of a page declares what its fragments take for granted: `export declare const client: …`,
 * `export const ChatApi = …`, `export type …`, `export { IsString } from "@grest-ts/schema"`. It cannot import files of the
 * page, and not `export *`.
 *
 *     npx vitest run test/docs --typecheck.enabled=false                  all pages
 *     DOCS=server,client npx vitest run test/docs/codeBlocks.test.ts --typecheck.enabled=false   these pages
 *     DOCS_SOURCES=1 …                                                    against `src`, where the build is out of date
 */
import { parseMarkdown } from "./markdown.js";

/** A piece of a page that is compiled. */
export interface CodeBlock {
  /** Its path in the folder of the page. */
  readonly path: string;
  readonly code: string;
  /** The line of the page that it begins on. */
  readonly line: number;
  readonly runs: boolean;
  /** The path of the server that it needs, where it needs one. */
  readonly server?: string;
  /** What it must print, where the page says so. */
  readonly prints?: string;
}

/** A page, as one or more folders of files, and its fragments. */
export interface PageCode {
  /** Each time that a file is replaced which is new in the current edition, another one begins. */
  readonly editions: readonly (readonly CodeBlock[])[];
  readonly fragments: readonly CodeBlock[];
  /** Blocks that are under no rule, one sentence each, beginning with their line. */
  readonly problems: readonly string[];
}

const LANGUAGES = new Set(["ts", "tsx"]);
const MISNAMED = new Set(["", "typescript", "mts", "cts", "jsx"]);

/** Finds the code of a page. */
export function codeOf(markdown: string): PageCode {
  const problems: string[] = [];
  const fragments: CodeBlock[] = [];
  const editions: CodeBlock[][] = [];
  let files = new Map<string, CodeBlock>();
  let changed = new Set<string>();
  for (const { language, info, code, line } of parseMarkdown(markdown).fences) {
    if (MISNAMED.has(language))
      problems.push(`${line}: a fence of the language "${language}": use ts, tsx or another one`);
    if (language === "text" && info) {
      const path = /^\[([\w./-]+)\]$/.exec(info)?.[1] ?? "";
      const program = files.get(path);
      if (program?.runs) files.set(path, { ...program, prints: code });
      else problems.push(`${line}: "${info}" is not the [path] of a program above`);
    }
    if (!LANGUAGES.has(language)) continue;
    const file = /^\[([\w./-]+)\]( run(?: with ([\w./-]+))?)?$/.exec(info);
    if (info && !file) problems.push(`${line}: "${info}" is neither [path] nor [path] run, nor [path] run with path`);
    else if (!file) fragments.push({ path: `fragment-${line}.${language}`, code, line, runs: false });
    else {
      const [, path = "", run, server] = file;
      if (!path.endsWith(`.${language}`) || path.split("/").includes("..")) {
        problems.push(`${line}: ${path} is no path of a .${language} file in the page's folder`);
        continue;
      }
      if (changed.has(path)) {
        editions.push([...files.values()]);
        // What was run stays, but does not run again.
        files = new Map([...files].map(([name, { prints, ...block }]) => [name, { ...block, runs: false }]));
        changed = new Set();
      }
      if (server && !files.has(server)) problems.push(`${line}: there is no file ${server} above`);
      changed.add(path);
      files.set(path, { path, code, line, runs: !!run, ...(server && { server }) });
    }
  }
  if (files.size) editions.push([...files.values()]);
  return { editions, fragments, problems };
}

/** The packages that the code imports. */
export function packagesOf({ editions, fragments }: PageCode): Set<string> {
  const names = [...editions.flat(), ...fragments].flatMap(({ code }) =>
    [...code.matchAll(/(?:\bfrom|\bimport)[\s(]+"([^".][^"]*)"/g)].map(([, name]) => name!),
  );
  return new Set(
    names.map((name) =>
      name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/"),
    ),
  );
}
