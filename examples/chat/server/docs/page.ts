import type { GGAsyncApiDocument, GGAsyncApiOperation } from "@grest-ts/websocket/asyncapi";
import { fields, summary } from "./fields.js";
import { type Html, html, prose } from "./html.js";
import { operationArticle } from "./operation.js";
import { type Resolve, resolverOf } from "./schemas.js";

/** A page for people out of a document: it has no script, and everything in it comes from the document. */
export function docsPage(document: GGAsyncApiDocument): string {
  const { title, version, description } = document.info;
  const resolve = resolverOf(document);
  const apis = Object.keys(document.channels);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · API</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<link rel="stylesheet" href="/docs.css">
</head>
<body class="docs">
<header>
<h1>${title} <small>${version}</small></h1>
<p>${prose(description)}</p>
<p><a href="/">The chat</a> · <a href="/asyncapi.json">The document for tools</a> (AsyncAPI ${document.asyncapi})</p>
</header>
<nav aria-label="Operations">
<ul>${apis.map((key) => html`<li><a href="#${key}">${document.channels[key]?.title}</a>${links(key, document)}</li>`)}</ul>
</nav>
<main>
${apis.length > 0 ? apis.map((key) => api(key, document, resolve)) : html`<p>There are no APIs.</p>`}
</main>
</body>
</html>
`.text;
}

function api(key: string, document: GGAsyncApiDocument, resolve: Resolve): Html {
  const channel = document.channels[key]!;
  const { query } = channel.bindings.ws;
  return html`<section id="${key}" aria-labelledby="${key}.title">
<h2 id="${key}.title">${channel.title}</h2>
<p class="frame"><code>${channel.address}</code></p>
${query ? html`<h3>Query arguments</h3><p>${summary(query, resolve)}</p>${fields(query, resolve)}` : undefined}
${operationsOf(key, document).map(([name, operation]) => operationArticle(name, operation, channel, resolve))}
</section>
`;
}

function links(key: string, document: GGAsyncApiDocument): Html {
  const items = operationsOf(key, document).map(
    ([name, { action, title }]) =>
      html`<li><span class="arrow" aria-hidden="true">${action === "receive" ? "→" : "←"}</span> <a href="#${name}">${title}</a></li>`,
  );
  return html`<ul>${items}</ul>`;
}

function operationsOf(key: string, { operations }: GGAsyncApiDocument): [string, GGAsyncApiOperation][] {
  return Object.entries(operations).filter(([, { channel }]) => channel.$ref === `#/channels/${key}`);
}
