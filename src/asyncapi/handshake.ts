import type { GGWebSocketMiddleware } from "../api/middleware.js";
import { CAPABILITIES_MEMBER } from "../protocol/capabilities.js";
import { FrameType } from "../protocol/frame.js";
import type { GGAsyncApiMessage, GGAsyncApiSchema } from "./document.js";
import { anyError } from "./errors.js";
import { frame } from "./frame.js";
import type { GGDescribedMiddleware } from "./info.js";
import { keyOf } from "./keys.js";
import { propertiesOf } from "./properties.js";
import { isOptional, isValidator, type Schemas } from "./schemas.js";

/** The validators of the headers that middlewares describe, by name: the first one counts. */
export function headersOf(middlewares: readonly GGWebSocketMiddleware[]): ReadonlyMap<string, unknown> {
  const headers = new Map<string, unknown>();
  for (const middleware of middlewares) {
    // A member of this name may be anything.
    for (const [name, validator] of Object.entries(Object((middleware as GGDescribedMiddleware).headers))) {
      if (!headers.has(name) && isValidator(validator)) headers.set(name, validator);
    }
  }
  return headers;
}

/** The three frames of a handshake: `h`, and what answers it. */
export function handshakeMessages(
  schemas: Schemas,
  apiName: string,
  key: string,
  headers: ReadonlyMap<string, unknown>,
): Record<"handshake" | "handshake.accepted" | "handshake.refused", GGAsyncApiMessage> {
  const required = [...headers].filter(([, validator]) => !isOptional(validator)).map(([name]) => name);
  const described: GGAsyncApiSchema = {
    type: "object",
    description: "The headers, which are texts.",
    ...(required.length > 0 && { required }),
    ...propertiesOf([
      ...[...headers].map(
        ([name, validator]) => [name, schemas.of(validator, "input", `${key}.handshake.${keyOf(name)}`)] as const,
      ),
      [CAPABILITIES_MEMBER, capabilities("that the client has")],
    ]),
    additionalProperties: { type: "string" },
  };
  return {
    handshake: {
      name: `${apiName}.handshake`,
      title: "Handshake",
      description: "The first frame that a client sends.",
      payload: described,
      "x-frame": frame(FrameType.HANDSHAKE, "", "always"),
    },
    "handshake.accepted": {
      name: `${apiName}.handshake.accepted`,
      title: "Connection accepted",
      payload: {
        type: ["object", "null"],
        properties: { [CAPABILITIES_MEMBER]: capabilities("that both ends have") },
      },
      "x-frame": frame(FrameType.HANDSHAKE_OK, "", "always"),
    },
    "handshake.refused": {
      name: `${apiName}.handshake.refused`,
      title: "Connection refused",
      payload: { ...anyError(schemas) },
      "x-frame": frame(FrameType.HANDSHAKE_ERROR, "", "always"),
    },
  };
}

function capabilities(whose: string): GGAsyncApiSchema {
  return { type: "string", description: `Extensions of the protocol ${whose}; absent: none.` };
}
