import { RawPeer } from "./rawPeer.js";

/** What a client presents; anything else is what a faulty one might. */
export interface Presented {
  readonly session?: string;
  readonly serial?: number;
  readonly at?: readonly (readonly [group: string, epoch: string, offset: number])[];
}

/** The `h` frame of a client that resumes. A text is presented as it is. */
export function resumingHandshake(presented: unknown = {}, capabilities = "resume", headers: object = {}): string {
  const text = typeof presented === "string" ? presented : JSON.stringify(presented);
  return `h:::${JSON.stringify({ ...headers, "ws-capabilities": capabilities, "ws-resume": text })}`;
}

/** Connects a client that resumes. */
export async function connectResuming(
  url: string,
  presented: Presented | string = {},
  { capabilities = "resume", headers = {} }: { capabilities?: string; headers?: object } = {},
): Promise<RawPeer> {
  const peer = await RawPeer.open(url);
  peer.send(resumingHandshake(presented, capabilities, headers));
  const answer = await peer.next();
  if (!/^k:::.*\bresume=100\b/.test(answer)) throw new Error(`not accepted: ${answer}`);
  return peer;
}

/** A `g` frame, taken apart. */
export interface GroupFrame {
  readonly alias: string;
  /** A position, an advance, or `undefined` for a member that has left. */
  readonly to:
    | {
        readonly group?: string;
        readonly epoch: string;
        readonly offset: number;
        readonly recovered?: boolean;
        readonly missed?: number;
      }
    | number
    | undefined;
}

export function groupFrame(frame: string): GroupFrame {
  const [, alias, payload] = /^g::([^:.\n]+):(.*)$/.exec(frame) ?? [];
  if (alias === undefined) throw new Error(`not a g frame: ${frame}`);
  return { alias, to: payload ? JSON.parse(payload) : undefined };
}
