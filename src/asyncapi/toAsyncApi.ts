import { ChannelDescription, type Parts } from "./channel.js";
import type { GGAsyncApiDocument } from "./document.js";
import { DeclaredErrors } from "./errors.js";
import { type GGAsyncApiInfo, type GGAsyncApiSource, serversOf } from "./info.js";
import { SecuritySchemes } from "./permissions.js";
import { plainJson } from "./plainJson.js";
import { Schemas } from "./schemas.js";

const DESCRIPTION =
  "Each message is one WebSocket text message, `type:path:id:payload`, with JSON as its payload. " +
  "The extension `x-frame` shows the frame of each.";

/**
 * Describes APIs as a document of AsyncAPI 3.1, which is plain JSON and the same for the same contracts. It shows what
 * clients need: paths, methods, payloads, errors, permissions and headers, and nothing of how the APIs are served.
 *
 * @param schemas what `webSocketSchema(…).done()` has made
 * @param info what contracts do not say
 * @throws Error when two schemas have the same name, or the URL of a server is none
 */
export function toAsyncApi(schemas: readonly GGAsyncApiSource[], info: GGAsyncApiInfo): GGAsyncApiDocument {
  const { title, version, description = DESCRIPTION, servers } = info;
  const { contact, license, security }: Pick<GGAsyncApiInfo, "contact" | "license" | "security"> = Object(
    plainJson({ contact: info.contact, license: info.license, security: info.security }),
  );
  const made = new Schemas();
  const parts: Parts = { schemas: made, errors: new DeclaredErrors(made), security: new SecuritySchemes(security) };
  const channels = new Map<string, ChannelDescription>();
  for (const source of schemas) {
    const channel = new ChannelDescription(source, parts);
    if (channels.has(channel.key))
      throw new Error(`toAsyncApi: two schemas are called "${source.name}"; a document has one API of each name`);
    channels.set(channel.key, channel);
  }
  const all = [...channels.values()];
  const { schemes } = parts.security;
  return {
    asyncapi: "3.1.0",
    info: { title, version, description, ...(contact && { contact }), ...(license && { license }) },
    defaultContentType: "application/json",
    ...(servers && { servers: serversOf(servers) }),
    channels: Object.fromEntries(all.map(({ key, channel }) => [key, channel])),
    operations: Object.assign({}, ...all.map(({ operations }) => operations)),
    components: {
      schemas: made.components,
      ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }),
    },
  };
}
