import type { GGInspectedFrame, GGInspectSink } from "./types.js";

/**
 * Writes one readable entry for each frame: `12:04:05.123 server 3f2a-1 ← request ChatApi.sendMessage 7 61 B`. The time is
 * in UTC; arrows show what was received (←) and sent (→).
 *
 * @param write where to; default `console.log`
 */
export function consoleSink(write: (entry: string) => unknown = (entry) => console.log(entry)): GGInspectSink {
  return (frame) => write(describe(frame));
}

/**
 * Writes each frame as JSON with a line feed: for files, and for programs that read them.
 *
 * @example
 * inspect(server, jsonLines((text) => process.stdout.write(text)));
 */
export function jsonLines(write: (text: string) => unknown): GGInspectSink {
  return (frame) => write(`${JSON.stringify(frame)}\n`);
}

/**
 * Whether a frame shows that something failed: a reply or a handshake with an error, or a close with another code than 1000,
 * 1001 and 1005, which is none. For the option `filter`.
 */
export function isFailure({ kind, result, code }: GGInspectedFrame): boolean {
  if (kind === "close") return code !== 1000 && code !== 1001 && code !== 1005;
  return kind === "refused" || (kind === "reply" && result !== "OK");
}

function describe(frame: GGInspectedFrame): string {
  const { at, side, connection, direction, kind, path, id, bytes, batch, ms, result, code, reason, message } = frame;
  const parts: unknown[] = [
    new Date(at).toISOString().slice(11, -1),
    side,
    connection,
    direction === "sent" ? "→" : "←",
    kind,
    path,
    id,
    result,
    code,
    reason && JSON.stringify(reason),
    bytes > 0 && `${bytes} B`,
    batch && `${batch.index + 1}/${batch.size}`,
    ms !== undefined && `${ms} ms`,
    frame.omitted && `(payload ${frame.omitted})`,
    message && JSON.stringify(message),
    frame.payload !== undefined && JSON.stringify(frame.payload),
  ];
  return plain(parts.filter((part) => part !== undefined && part !== false && part !== "").join(" "));
}

/** Without characters that a terminal would obey, or that would begin another entry: much of it is the peer's text. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be written
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
