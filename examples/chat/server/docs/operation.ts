import type {
  GGAsyncApiChannel,
  GGAsyncApiMessage,
  GGAsyncApiOperation,
  GGAsyncApiPermission,
  GGAsyncApiReference,
} from "@grest-ts/websocket/asyncapi";
import { fields, summary } from "./fields.js";
import { type Html, html, prose } from "./html.js";
import { type Resolve, schemasIn } from "./schemas.js";

/** One operation: what travels, what is answered, and what it takes. */
export function operationArticle(
  key: string,
  operation: GGAsyncApiOperation,
  channel: GGAsyncApiChannel,
  resolve: Resolve,
): Html {
  const { action, title, description, reply } = operation;
  const permission = operation["x-permission"];
  const direction = action === "receive" ? "client → server" : "server → client";
  return html`<article id="${key}" aria-labelledby="${key}.title">
<h3 id="${key}.title">${title}</h3>
<p class="marks"><span class="mark ${action}">${direction}</span> <span class="mark">${reply ? "with a reply" : "without a reply"}</span></p>
${description ? html`<p>${prose(description)}</p>` : undefined}
${permission === undefined ? undefined : html`<p>Needs <strong>${permissionText(permission)}</strong></p>`}
${messagesAt(operation.messages, channel).map((message) => call(message, resolve))}
${reply ? messagesAt(reply.messages, channel).map((message) => answer(message, resolve)) : undefined}
</article>
`;
}

function call(message: GGAsyncApiMessage, resolve: Resolve): Html {
  const payload = message.payload
    ? html`<p>${summary(message.payload, resolve)}</p>${fields(message.payload, resolve)}`
    : html`<p>Nothing.</p>`;
  return html`<h4>Sent</h4>
<p class="frame"><code>${message["x-frame"].text}</code></p>
${payload}`;
}

/** The reply to a request: its result, and its errors. What answers a handshake is shown as it is. */
function answer({ title, payload, "x-frame": { text } }: GGAsyncApiMessage, resolve: Resolve): Html {
  const [result, ...errors] = schemasIn(payload?.oneOf);
  const heading = result ? "Result" : title;
  const data = Object(resolve(result).properties).data;
  const shown = result ? data : payload;
  return html`<h4>${heading}</h4>
<p class="frame"><code>${text}</code></p>
<p>${summary(shown, resolve)}</p>${fields(shown, resolve)}
${errors.length > 0 ? html`<h4>Errors</h4><ul class="fields">${errors.map((error) => errorItem(error, resolve))}</ul>` : undefined}`;
}

function errorItem(given: unknown, resolve: Resolve): Html {
  const { title, description, properties } = resolve(given);
  const { statusCode, data } = Object(properties);
  const about = typeof description === "string" ? html`<span class="about">${prose(description)}</span>` : undefined;
  return html`<li><code>${String(title)}</code><span class="type">${String(Object(statusCode).const)}</span>${about}${
    data === undefined
      ? undefined
      : html`<p>With <code>data</code>: ${summary(data, resolve)}</p>${fields(resolve(data).items ?? data, resolve)}`
  }</li>`;
}

/** A permission in words. */
export function permissionText(permission: GGAsyncApiPermission): string {
  if (typeof permission === "string") return permission;
  if ("any" in permission) return "any permission";
  const [parts, word] = "allOf" in permission ? [permission.allOf, " and "] : [permission.anyOf, " or "];
  const texts = parts.map((part) => (typeof part === "string" ? part : `(${permissionText(part)})`));
  return texts.join(word) || "nothing";
}

function messagesAt(references: readonly GGAsyncApiReference[], channel: GGAsyncApiChannel): GGAsyncApiMessage[] {
  return references.flatMap(({ $ref }) => channel.messages[$ref.slice($ref.lastIndexOf("/") + 1)] ?? []);
}
