/** PEM or DER: certificates, or keys. */
type Credentials = string | Uint8Array | readonly (string | Uint8Array)[];

/** An agent of Node's `http` or `https`, as far as it must be one. */
interface HttpAgent {
  /** Closes the connections that it keeps. */
  destroy(): void;
}

/**
 * How a client in Node connects, as `http.request` and `tls.connect` take it. There is no option for compression, for the
 * largest message (16 MiB) or for redirects, which are not followed. Another name fails the attempt.
 */
export interface ConnectOptions {
  /** HTTP headers of the upgrade request, for proxies and gateways. Middlewares read `headers` of the handshake instead. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The `Origin` header. */
  readonly origin?: string | undefined;
  /** An `http.Agent`, or `https.Agent` for `wss://`, such as one that connects through a proxy. */
  readonly agent?: HttpAgent | undefined;
  /** The certificates of the authorities to trust, in place of those that Node knows. */
  readonly ca?: Credentials | undefined;
  /** The certificate of this client. */
  readonly cert?: Credentials | undefined;
  /** The private key of this client. */
  readonly key?: Credentials | undefined;
  /** Certificate and private key of this client in one (PKCS #12). */
  readonly pfx?: Uint8Array | undefined;
  /** What `key` or `pfx` is encrypted with. */
  readonly passphrase?: string | undefined;
  /** The name that the server's certificate must be for. Default: the host of the URL. */
  readonly servername?: string | undefined;
  /** Whether the server's certificate is checked. Default `true`. With `false` anyone in between can read everything. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** The local address to connect from. */
  readonly localAddress?: string | undefined;
  /** The IP version of the host's address: 4 or 6. Default: both are tried. */
  readonly family?: 4 | 6 | undefined;
}

/** The part of the `WebSocket` standard that a client uses: the global class has it, and those of `ws` and undici. */
export interface WebSocketLike {
  /** The state, `CONNECTING` and `OPEN` among them. */
  readonly readyState: number;
  /** The state of a socket that is not open yet. */
  readonly CONNECTING: number;
  /** The state of a socket that can send. */
  readonly OPEN: number;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /** Set to a function that is called when the socket has opened. */
  onopen: unknown;
  /** Set to a function that gets each message as an event with `data`. */
  onmessage: unknown;
  /** Set to a function that gets the end as an event with `code` and `reason`. */
  onclose: unknown;
  /** Set to a function that is called when the socket fails; `onclose` follows. */
  onerror: unknown;
  /** Sends a text message. */
  send(data: string): void;
  /** Begins the closing handshake, with 1000 or a code from 3000 to 4999. */
  close(code?: number, reason?: string): void;
}

/** A `WebSocket` class. */
export type WebSocketClass = new (url: string) => WebSocketLike;
