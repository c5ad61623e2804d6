import { CAPABILITIES_MEMBER } from "../protocol/capabilities.js";
import { detached } from "./detached.js";
import { ContractMarks } from "./marks.js";
import { REDACTED, Redaction } from "./redaction.js";
import type { Direction } from "./tap.js";
import type { GGFrameKind, GGInspectedFrame, GGInspectOptions, InspectedSchema } from "./types.js";

/** What is shown of a payload. */
export type Shown = Pick<GGInspectedFrame, "payload" | "message" | "omitted">;

/** A frame whose payload is to be shown. */
export interface Carrier {
  readonly kind: GGFrameKind;
  readonly path: string;
  readonly payload: string;
  readonly direction: Direction;
  readonly side: "client" | "server";
}

/** Shows the payload of a frame, redacted. */
export type PayloadReader = (carrier: Carrier) => Shown;

/** The longest payload that is shown unless the program says otherwise, in characters. */
const MAX_PAYLOAD_LENGTH = 16_384;

/** How replies of this package begin, so that their type is known without parsing them. */
const REPLY_START = /^\{"success":(?:true|false),"type":"([A-Za-z_]\w{0,99})"[,}]/;

/** The `result` of a reply or a refusal; `undefined` when it is no such thing. */
export function resultOf(payload: string): string | undefined {
  const [, known] = REPLY_START.exec(payload) ?? [];
  if (known !== undefined) return detached(known);
  const { type } = Object(payload.length <= MAX_PAYLOAD_LENGTH ? parse(payload) : undefined) as { type?: unknown };
  return typeof type === "string" && /^[A-Za-z_]\w{0,99}$/.test(type) ? type : undefined;
}

/** Reads payloads as the options say; `undefined` when none is to be shown. */
export function payloadReader(options: GGInspectOptions, own: InspectedSchema | undefined): PayloadReader | undefined {
  if (!options.payloads) return undefined;
  const { redact, redactNames, maxPayload = MAX_PAYLOAD_LENGTH, headers = [], schemas = [] } = options;
  const redaction = new Redaction(redact, redactNames);
  const marks = new ContractMarks([...(own ? [own] : []), ...[schemas].flat()]);
  return ({ kind, path, payload, direction, side }) => {
    if (!payload) return {};
    if (payload.length > maxPayload) return { omitted: "too long" };
    const value = parse(payload);
    if (value === undefined) return { omitted: "not JSON" };
    const isToServer = (direction === "sent") === (side === "client");
    switch (kind) {
      case "handshake":
        return { payload: shownHeaders(value, headers) };
      case "message":
      case "request":
        return { payload: redaction.apply(value, marks.method(path, isToServer)?.input) };
      case "reply":
      case "refused":
        return shownReply(value, (data, type) => {
          if (type === "VALIDATION_ERROR") return withoutValues(data);
          if (type === "OK") return redaction.apply(data, marks.method(path, !isToServer)?.success);
          const schema = marks.error(type);
          return schema ? redaction.apply(data, schema) : REDACTED;
        });
      default:
        return { payload: redaction.apply(value) };
    }
  };
}

/** The result, or the data and the sentence of an error. */
function shownReply(reply: unknown, redact: (data: unknown, type: string) => unknown): Shown {
  const { type, data, context } = Object(reply) as { type?: unknown; data?: unknown; context?: unknown };
  if (typeof type !== "string") return { omitted: "not JSON" };
  const { displayMessage } = Object(context) as { displayMessage?: unknown };
  return {
    ...(data !== undefined && { payload: redact(data, type) }),
    ...(type !== "OK" && typeof displayMessage === "string" && { message: displayMessage }),
  };
}

/** The issues of a validation without what they are about, which may be a password, and is in some libraries' sentences. */
function withoutValues(issues: unknown): unknown {
  if (!Array.isArray(issues)) return REDACTED;
  return issues.map((issue: unknown) => {
    const { path, code } = Object(issue) as Record<string, unknown>;
    return { path: textOnly(path), code: textOnly(code) };
  });
}

function textOnly(value: unknown): unknown {
  return typeof value === "string" || value === undefined ? value : REDACTED;
}

/** The names of all headers, and the values of some. */
function shownHeaders(value: unknown, shown: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return REDACTED;
  const isShown = (name: string) => name === CAPABILITIES_MEMBER || shown.includes(name.toLowerCase());
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [name, isShown(name) ? textOnly(text) : REDACTED]),
  );
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
