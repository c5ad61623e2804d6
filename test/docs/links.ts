import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "../support/paths.js";
import { parseMarkdown } from "./markdown.js";
import { pagesOfDocs } from "./pages.js";

/** The documents whose links are checked, as paths in the repository. */
export function documentsWithLinks(): string[] {
  const inFolder = (folder: string) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [];
  const top = readdirSync(root).filter((file) => file.endsWith(".md"));
  const examples = inFolder("examples").map((folder) => `${folder}/README.md`);
  return [...top, ...pagesOfDocs(), ...examples].filter((path) => existsSync(join(root, path)));
}

/** The links of a document that lead nowhere, with its path and their line. Those to other hosts are not followed. */
export function brokenLinks(path: string, text = readFileSync(join(root, path), "utf8")): string[] {
  const document = parseMarkdown(text);
  return document.links.flatMap(({ target, line }) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
    const [file = "", anchor] = decodeURI(target).split("#");
    const found = file ? join(dirname(path), file) : path;
    const problem = (text: string) => [`${path}:${line}: ${target}: ${text}`];
    if (relative(root, join(root, found)).startsWith("..")) return problem("outside of the repository");
    if (file && !existsSync(join(root, found))) return problem("there is no such file");
    if (anchor === undefined) return [];
    if (!found.endsWith(".md")) return problem("no document with headings");
    const { anchors } = found === path ? document : parseMarkdown(readFileSync(join(root, found), "utf8"));
    return anchors.has(anchor) ? [] : problem("there is no such heading");
  });
}
