/** What the tests of the documents read of Markdown: fences, headings and links, with their lines. */

/** A fenced block of code. */
interface Fence {
  /** The first word after the backticks, such as `ts`. */
  readonly language: string;
  /** What follows it, such as `[server.ts] run`. */
  readonly info: string;
  readonly code: string;
  /** The line of the document that the code begins on, from 1. */
  readonly line: number;
}

/** A link or an image, and the line that it is on, from 1. */
interface Link {
  readonly target: string;
  readonly line: number;
}

/** A document, taken apart. */
interface Document {
  readonly fences: readonly Fence[];
  readonly links: readonly Link[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

/** Takes a Markdown document apart. Throws when a fence never ends. */
export function parseMarkdown(text: string): Document {
  const fences: Fence[] = [];
  const links: Link[] = [];
  const headings: string[] = [];
  let open:
    | { readonly marks: string; readonly indent: string; readonly head: string; readonly line: number }
    | undefined;
  let code: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line);
    if (open) {
      if (fence && fence[2]!.startsWith(open.marks) && !fence[3]!.trim()) {
        const [language = "", ...info] = open.head.split(/\s+/);
        fences.push({ language, info: info.join(" "), code: `${code.join("\n")}\n`, line: open.line });
        open = undefined;
      } else code.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
      continue;
    }
    if (fence) {
      open = { indent: fence[1]!, marks: fence[2]!, head: fence[3]!.trim(), line: index + 2 };
      code = [];
      continue;
    }
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading) headings.push(heading[1]!);
    const prose = line.replace(/(`+).*?\1/g, "");
    for (const [, inline, defined] of prose.matchAll(/\]\(([^()\s]+)[^()]*\)|^\[[^\]]+\]:\s+(\S+)/g))
      links.push({ target: (inline ?? defined)!, line: index + 1 });
  }
  if (open) throw new Error(`The fence before line ${open.line} never ends`);
  return { fences, links, anchors: anchorsOf(headings) };
}

/** The anchors that GitHub gives to these headings, in their order. */
function anchorsOf(headings: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const heading of headings) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
