/** A reference to another part of the document, such as `#/channels/ChatApi`. */
export interface GGAsyncApiReference {
  /** Where it is, as a JSON Pointer after `#`. */
  readonly $ref: string;
}

/** A JSON Schema, in the form that AsyncAPI takes: draft 07 and `discriminator`. */
export type GGAsyncApiSchema = { readonly [keyword: string]: unknown };

/** Who answers for the API. */
export interface GGAsyncApiContact {
  /** The name of a person or an organisation. */
  readonly name?: string | undefined;
  /** A page to turn to. */
  readonly url?: string | undefined;
  /** An address to write to. */
  readonly email?: string | undefined;
}

/** On which terms the API may be used. */
export interface GGAsyncApiLicense {
  /** Its name, such as `"MIT"`. */
  readonly name: string;
  /** Its text. */
  readonly url?: string | undefined;
}

/** Where the APIs are served. */
export interface GGAsyncApiServer {
  /** Host, and port where it has one: `chat.example:8443`. */
  readonly host: string;
  /** `wss` is encrypted. */
  readonly protocol: "ws" | "wss";
  /** A path in front of that of each API. */
  readonly pathname?: string | undefined;
  /** What it is for. */
  readonly description?: string | undefined;
}

/** The frame that carries a message: `type:path:id:payload`. */
export interface GGAsyncApiFrame {
  /** The letter that it begins with. */
  readonly type: "h" | "k" | "x" | "m" | "r" | "s";
  /** The method, such as `ChatApi.sendMessage`; empty in a handshake. */
  readonly path: string;
  /** Whether JSON follows: always, never (the frame ends with its third colon), or where there is a value. */
  readonly payload: "always" | "never" | "optional";
  /** The frame as text, with `{id}` and `{payload}` for what varies: `r:ChatApi.sendMessage:{id}:{payload}`. */
  readonly text: string;
}

/** What one frame carries. */
export interface GGAsyncApiMessage {
  /** The method, such as `ChatApi.sendMessage`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What it is for. */
  readonly description?: string | undefined;
  /** The id of a request or a reply, which is a field of the frame. */
  readonly headers?: GGAsyncApiReference | undefined;
  /** Where the id is by which a reply belongs to its request. */
  readonly correlationId?:
    | {
        /** A pointer into the headers. */
        readonly location: string;
        /** For people. */
        readonly description?: string | undefined;
      }
    | undefined;
  /** The JSON after the third colon; absent where there never is any. */
  readonly payload?: GGAsyncApiSchema | undefined;
  /** The frame. */
  readonly "x-frame": GGAsyncApiFrame;
}

/** One API: what travels on its path. */
export interface GGAsyncApiChannel {
  /** The path of its URL. */
  readonly address: string;
  /** The API's name. */
  readonly title: string;
  /** All that it carries, by key. */
  readonly messages: Readonly<Record<string, GGAsyncApiMessage>>;
  /** The upgrade request. */
  readonly bindings: {
    /** What the binding of WebSocket says. */
    readonly ws: {
      /** The method of the upgrade request. */
      readonly method: "GET";
      /** The query arguments, where the API describes them as an object. */
      readonly query?: GGAsyncApiSchema | undefined;
      /** The version of the binding. */
      readonly bindingVersion: "0.1.0";
    };
  };
}

/**
 * A permission: a scope, `{ any: true }` for any scope at all, or a combination of these.
 */
export type GGAsyncApiPermission =
  | string
  | {
      /** Any scope at all. */
      readonly any: true;
    }
  | {
      /** Each of these. */
      readonly allOf: readonly GGAsyncApiPermission[];
    }
  | {
      /** One of these. */
      readonly anyOf: readonly GGAsyncApiPermission[];
    };

/** One method as the server sees it, or the handshake of an API. */
export interface GGAsyncApiOperation {
  /** `receive`: a client calls it. `send`: the server does. */
  readonly action: "receive" | "send";
  /** The API. */
  readonly channel: GGAsyncApiReference;
  /** The method, such as `ChatApi.sendMessage`. */
  readonly title: string;
  /** What it is for. */
  readonly description?: string | undefined;
  /** The message. */
  readonly messages: readonly GGAsyncApiReference[];
  /** The answer; absent where there is none. */
  readonly reply?:
    | {
        /** The API. */
        readonly channel: GGAsyncApiReference;
        /** The reply. */
        readonly messages: readonly GGAsyncApiReference[];
      }
    | undefined;
  /** How a client says who it is, where it needs a permission. */
  readonly security?: readonly GGAsyncApiReference[] | undefined;
  /** What a client needs. */
  readonly "x-permission"?: GGAsyncApiPermission | undefined;
}

/** How a client says who it is, as AsyncAPI describes it. */
export type GGAsyncApiSecurityScheme =
  | {
      /** A header. */
      readonly type: "httpApiKey";
      /** Its name. */
      readonly name: string;
      /** Where it is. The headers of a handshake are in its frame, and not in the upgrade request. */
      readonly in: "header" | "query" | "cookie";
      /** For people. */
      readonly description?: string | undefined;
    }
  | {
      /** The header `authorization`. */
      readonly type: "http";
      /** Such as `bearer`. */
      readonly scheme: string;
      /** The format of a bearer token, such as `JWT`. */
      readonly bearerFormat?: string | undefined;
      /** For people. */
      readonly description?: string | undefined;
    }
  | {
      /** OpenID Connect. */
      readonly type: "openIdConnect";
      /** Where its configuration is. */
      readonly openIdConnectUrl: string;
      /** For people. */
      readonly description?: string | undefined;
    };

/** A document of AsyncAPI 3.1 (https://www.asyncapi.com/docs/reference/specification/v3.1.0), which describes the server. */
export interface GGAsyncApiDocument {
  /** The version of AsyncAPI. */
  readonly asyncapi: "3.1.0";
  /** What the document is about. */
  readonly info: {
    /** Its name. */
    readonly title: string;
    /** The version of what it describes. */
    readonly version: string;
    /** For people, as Markdown. */
    readonly description: string;
    /** Who answers for it. */
    readonly contact?: GGAsyncApiContact | undefined;
    /** On which terms it may be used. */
    readonly license?: GGAsyncApiLicense | undefined;
  };
  /** All payloads are JSON. */
  readonly defaultContentType: "application/json";
  /** Where the APIs are served, by name. */
  readonly servers?: Readonly<Record<string, GGAsyncApiServer>> | undefined;
  /** The APIs, by name. */
  readonly channels: Readonly<Record<string, GGAsyncApiChannel>>;
  /** The methods of all APIs, such as `ChatApi.clientToServer.sendMessage`, and a handshake of each. */
  readonly operations: Readonly<Record<string, GGAsyncApiOperation>>;
  /** What several of these refer to. */
  readonly components: {
    /** JSON Schemas, by key. */
    readonly schemas: Readonly<Record<string, GGAsyncApiSchema>>;
    /** How clients say who they are, by key. */
    readonly securitySchemes?: Readonly<Record<string, GGAsyncApiSecurityScheme>> | undefined;
  };
}
