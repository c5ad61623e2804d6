import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const REPOSITORY = "https://github.com/grest-ts/websocket";

/** Documents of the repository's root that are pages here, too. */
const ROOT_PAGES = ["PROTOCOL.md", "SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md"];
for (const page of ROOT_PAGES) copyFileSync(at(`../../${page}`), at(`../${page}`));
mkdirSync(at("../public"), { recursive: true });
copyFileSync(at("../../bench/results.svg"), at("../public/results.svg"));

/** What a link in the repository is on this site. */
function linkOf(href: string): string {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const [path = "", anchor] = href.split("#");
  const name = path.replace(/^(\.\.?\/)+/, "").replace(/^docs\//, "");
  const hash = anchor ? `#${anchor}` : "";
  if (name === "README.md") return `./index.md`;
  if (name === "bench/results.svg") return "/results.svg";
  if (path.startsWith("../") || !existsSync(at(`../${name}`)))
    return ROOT_PAGES.includes(name) ? `./${name}${hash}` : `${REPOSITORY}/blob/main/${name}${hash}`;
  return `./${name}${hash}`;
}

const text = (page: string) =>
  readFileSync(at(`../${page}.md`), "utf8")
    .match(/^# (.*)$/m)?.[1]
    ?.replaceAll("`", "") ?? page;
const pages = (...names: string[]) =>
  names.filter((name) => existsSync(at(`../${name}.md`))).map((name) => ({ text: text(name), link: `/${name}` }));
const reference = at("../reference/typedoc-sidebar.json");

export default defineConfig({
  title: "@grest-ts/websocket",
  description: "Contract-first WebSockets for TypeScript",
  base: process.env.DOCS_BASE ?? "/",
  // Nothing is loaded from elsewhere: no fonts, no search service.
  themeConfig: {
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    nav: [
      { text: "Guide", link: "/getting-started" },
      { text: "Reference", link: "/reference/" },
      { text: "Protocol", link: "/PROTOCOL" },
    ],
    outline: [2, 3],
    sidebar: {
      "/reference/": existsSync(reference) ? JSON.parse(readFileSync(reference, "utf8")) : [],
      "/": [
        { text: "Begin", items: pages("index", "getting-started") },
        {
          text: "Build",
          items: pages(
            "contracts",
            "standard-schema",
            "server",
            "mounting",
            "client",
            "react",
            "errors",
            "middleware",
            "permissions",
            "groups",
          ),
        },
        { text: "Grow", items: pages("nodes", "resume", "limits", "deploying", "speed") },
        { text: "See and test", items: pages("testing", "metrics", "inspect", "asyncapi", "raw-sockets") },
        { text: "Migrate", items: pages("migrating-from-0.0.39", "migrating-from-socket-io") },
        { text: "Background", items: pages("PROTOCOL", "SECURITY", "ARCHITECTURE", "CHANGELOG") },
      ],
    },
  },
  markdown: {
    // Anchors are those of GitHub, which the pages link to.
    anchor: {
      slugify: (heading) =>
        heading
          .trim()
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
          .replace(/\s/g, "-"),
    },
    config(md) {
      md.core.ruler.push("links of the repository", ({ tokens, env }) => {
        if (env.relativePath?.startsWith("reference/")) return;
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const name = token.type === "image" ? "src" : "href";
          const link = token.attrGet(name);
          if (link !== null) token.attrSet(name, linkOf(link));
        }
      });
    },
  },
});
