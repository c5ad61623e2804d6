import type { GGSocketMethod } from "../api/contract.js";
import { FrameType } from "../protocol/frame.js";
import type { GGAsyncApiChannel, GGAsyncApiMessage, GGAsyncApiOperation, GGAsyncApiSchema } from "./document.js";
import { type DeclaredErrors, type ProtocolError, protocolError } from "./errors.js";
import { frame } from "./frame.js";
import { handshakeMessages, headersOf } from "./handshake.js";
import type { GGAsyncApiSource } from "./info.js";
import { keyOf } from "./keys.js";
import { describedPermission, type SecuritySchemes } from "./permissions.js";
import { isOptional, type Schemas } from "./schemas.js";

/** What the descriptions of all APIs share. */
export interface Parts {
  readonly schemas: Schemas;
  readonly errors: DeclaredErrors;
  readonly security: SecuritySchemes;
}

type Direction = "clientToServer" | "serverToClient";

/** Describes one API: its channel, and the operations of its methods. */
export class ChannelDescription {
  readonly key: string;
  readonly operations: Record<string, GGAsyncApiOperation> = {};
  readonly #source: GGAsyncApiSource;
  readonly #parts: Parts;
  readonly #headers: ReadonlyMap<string, unknown>;
  readonly #messages: Record<string, GGAsyncApiMessage> = {};

  constructor(source: GGAsyncApiSource, parts: Parts) {
    this.key = keyOf(source.name);
    this.#source = source;
    this.#parts = parts;
    this.#headers = headersOf(source.middlewares);
    this.#describeHandshake();
    for (const direction of ["clientToServer", "serverToClient"] as const)
      for (const [name, method] of Object.entries(source.methods[direction]))
        this.#describeMethod(direction, name, method);
  }

  get channel(): GGAsyncApiChannel {
    const { name, path } = this.#source;
    const query = this.#query();
    return {
      address: addressOf(path),
      title: name,
      messages: this.#messages,
      bindings: { ws: { method: "GET", ...(query && { query }), bindingVersion: "0.1.0" } },
    };
  }

  #describeHandshake(): void {
    const { name, connectPermission } = this.#source;
    Object.assign(this.#messages, handshakeMessages(this.#parts.schemas, name, this.key, this.#headers));
    this.operations[`${this.key}.handshake`] = {
      action: "receive",
      channel: this.#channelRef,
      title: `${name}: handshake`,
      description: "Begins each connection.",
      messages: [this.#messageRef("handshake")],
      reply: {
        channel: this.#channelRef,
        messages: [this.#messageRef("handshake.accepted"), this.#messageRef("handshake.refused")],
      },
      ...this.#access(connectPermission),
    };
  }

  #describeMethod(direction: Direction, name: string, method: GGSocketMethod): void {
    const isFromClient = direction === "clientToServer";
    const key = `${direction}.${keyOf(name)}`;
    const path = `${this.#source.name}.${name}`;
    const texts = { title: method.docs?.title || path, ...description(method.docs?.description) };
    this.#messages[key] = this.#call(key, path, method, isFromClient);
    if (method.success) this.#messages[`${key}.reply`] = this.#reply(key, path, method, isFromClient);
    this.operations[`${this.key}.${key}`] = {
      action: isFromClient ? "receive" : "send",
      channel: this.#channelRef,
      ...texts,
      messages: [this.#messageRef(key)],
      ...(method.success && { reply: { channel: this.#channelRef, messages: [this.#messageRef(`${key}.reply`)] } }),
      // Only servers check permissions.
      ...(isFromClient && this.#access(method.permission)),
    };
  }

  #call(key: string, path: string, { input, success }: GGSocketMethod, isFromClient: boolean): GGAsyncApiMessage {
    const presence = !input ? "never" : isOptional(input) ? "optional" : "always";
    return {
      name: path,
      title: path,
      ...(success && this.#correlation("Chosen by the caller.")),
      ...(input && { payload: this.#of(input, isFromClient ? "input" : "output", `${key}.input`) }),
      "x-frame": frame(success ? FrameType.REQUEST : FrameType.MESSAGE, path, presence),
    };
  }

  #reply(key: string, path: string, method: GGSocketMethod, isFromClient: boolean): GGAsyncApiMessage {
    const { input, success, errors = [], permission } = method;
    const side = isFromClient ? "output" : "input";
    const needed: ProtocolError[] = [
      ...(isFromClient && describedPermission(permission) ? (["NOT_AUTHORIZED", "FORBIDDEN"] as const) : []),
      ...(input ? (["VALIDATION_ERROR"] as const) : []),
      "SERVER_ERROR",
    ];
    const references = [
      ...errors.map((error) => this.#parts.errors.schemaOf(error, side)),
      ...needed.map((type) => protocolError(this.#parts.schemas, type)),
    ];
    const distinct = new Map(references.map((reference) => [reference.$ref, reference]));
    const ok: GGAsyncApiSchema = {
      type: "object",
      title: "OK",
      required: ["success", "type", ...(isOptional(success) ? [] : ["data"])],
      properties: {
        success: { const: true },
        type: { const: "OK" },
        data: this.#of(success, side, `${key}.success`),
      },
    };
    return {
      name: `${path}.reply`,
      title: `${path}: reply`,
      ...this.#correlation("That of the request."),
      payload: { oneOf: [ok, ...distinct.values()] },
      "x-frame": frame(FrameType.REPLY, path, "always"),
    };
  }

  #correlation(description: string): Pick<GGAsyncApiMessage, "headers" | "correlationId"> {
    const headers = this.#parts.schemas.shared("FrameId", () => ({
      type: "object",
      description: "A field of the frame, between its second and its third colon.",
      required: ["id"],
      properties: { id: { type: "string", pattern: "^[^:]*$" } },
    }));
    return { headers, correlationId: { location: "$message.header#/id", description } };
  }

  #access(permission: GGSocketMethod["permission"]): Pick<GGAsyncApiOperation, "security" | "x-permission"> {
    const described = describedPermission(permission);
    if (described === undefined) return {};
    const security = this.#parts.security.of(this.#source.name, [...this.#headers.keys()]);
    return { ...(security && { security: [security] }), "x-permission": described };
  }

  #query(): GGAsyncApiSchema | undefined {
    const { queryValidator } = this.#source;
    const query = queryValidator ? this.#of(queryValidator, "input", "query") : undefined;
    // The binding takes nothing else.
    return query?.type === "object" && "properties" in query ? query : undefined;
  }

  #of(validator: unknown, side: "input" | "output", name: string): GGAsyncApiSchema {
    return this.#parts.schemas.of(validator, side, `${this.key}.${name}`);
  }

  get #channelRef(): { readonly $ref: string } {
    return { $ref: `#/channels/${this.key}` };
  }

  #messageRef(key: string): { readonly $ref: string } {
    return { $ref: `#/channels/${this.key}/messages/${key}` };
  }
}

function description(text: string | undefined): { readonly description?: string } {
  return text ? { description: text } : {};
}

/** The path as a URL has it: also what AsyncAPI would take for a parameter, such as `{id}`, is encoded there. */
function addressOf(path: string): string {
  return path.replace(/^\/?/, "/").replace(/["<>[\]^`{|}]|[^!-~]+/g, encodeURIComponent);
}
