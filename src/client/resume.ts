import type { GGResume, GGResumeOptions } from "../api/resume.js";
import { runCallback } from "../connection/endpoint.js";
import { Inbox } from "../connection/inbox.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type Frame, FrameType, parsePayload } from "../protocol/frame.js";
import { type GroupPosition, MAX_POSITIONS, RESUME_MEMBER } from "../protocol/resume.js";
import type { ClientPlatform } from "./platform/platform.js";

/** The longest JSON text of a position that is presented: 100 of them fit into a handshake, where they are JSON in JSON. */
const MAX_POSITION = 250;

/** Where a client is in an epoch of a group: everything up to its offset has been handled. */
interface Place {
  readonly group: string;
  readonly epoch: string;
  offset: number;
  /** The offset that a handshake has presented. */
  presented: number;
  /** That of the connection that was the last to join. */
  inbox?: Inbox;
}

/** What `createClient` makes of its option, for each client anew. */
export interface Resume extends GGResume {
  /** The same platform for one client that resumes: its handshakes present positions, and its inboxes know groups. */
  begin(platform: ClientPlatform): ClientPlatform;
}

/**
 * Lets a client with `reconnect` go on where it was: what the groups with `history` that its server adds it to have sent
 * meanwhile comes first, in order and once, on whichever server it lands. Where that cannot be, `onGroup` says so. The option
 * may be given to several clients.
 *
 * @example
 * ChatApi.createClient({ url, reconnect: true, resume: resumeGroups({ onGroup: ({ recovered }) => recovered === false && reload() }) });
 */
export function resumeGroups({ onGroup }: GGResumeOptions = {}): GGResume {
  const begin: Resume["begin"] = (platform) => {
    // Names this client, for the time that it has connections: it needs no secret.
    const session = `${Math.random()}`.slice(2);
    let serial = 0;
    /** The places in each group, the current one first. A connection that replaces another one may be an epoch behind. */
    const places = new Map<string, readonly [Place, ...Place[]]>();

    class ResumingInbox extends (platform.endpoint?.Inbox ?? Inbox) {
      override readonly otherType = this.ofConnection.can("resume") && FrameType.GROUP;
      /** Where it is in the groups of this connection, by their aliases. */
      readonly #joined = new Map<string, Place>();

      protected override dispatch(frame: Frame, method: CompiledMethod | undefined): void {
        const { type, path, id, payload } = frame;
        const [alias, at] = id.split(".") as [string, string?];
        const known = this.#joined.get(alias);
        const to = type === FrameType.GROUP ? parsePayload(payload) : Number(at);
        if (typeof to !== "number") this.#move(alias, known, to as GroupPosition | undefined);
        else if (known && type !== FrameType.REQUEST) {
          // Another connection has brought it.
          if (!(to > known.offset)) return;
          if (to > known.offset + 1) this.#report(known.group, false);
          known.offset = to;
        }
        if (path) super.dispatch(frame, method);
      }

      #move(alias: string, known: Place | undefined, to: GroupPosition | undefined): void {
        const group = to?.group ?? known?.group ?? "";
        const before = places.get(group) ?? [];
        const [current] = before;
        if (!to) {
          this.#joined.delete(alias);
          // Another connection may still have it.
          if (current?.inbox === this) places.delete(group);
          return;
        }
        const { epoch, offset, recovered, missed = 0 } = to;
        const place: Place = before.find((it) => it.epoch === epoch) ?? { group, epoch, offset, presented: 0 };
        // What was presented is ahead of the servers only when they have gone back in time.
        const isBack = recovered === false && place.presented > offset;
        const goesOn = place === current && place.offset >= offset && !isBack;
        place.offset = isBack ? offset : Math.max(place.offset, offset);
        place.inbox = this;
        this.#joined.set(alias, place);
        places.delete(group);
        places.set(group, [place, ...before]);
        if (to.group || !goesOn) this.#report(group, current && goesOn, offset + missed - place.offset);
      }

      #report(group: string, recovered: boolean | undefined, missed = 0): void {
        runCallback(this.ofConnection.socketEndpoint, this.ofConnection.context, "onGroup", () =>
          onGroup?.({ group, recovered, missed: Math.max(missed, 0) }),
        );
      }
    }

    return {
      ...platform,
      offered: [...platform.offered, "resume"],
      endpoint: { ...platform.endpoint, Inbox: ResumingInbox },
      completeHeaders(headers) {
        platform.completeHeaders?.(headers);
        const at = [...places.values()]
          .map(([place]) => {
            place.presented = place.offset;
            // An epoch that servers have come back to is another one.
            places.set(place.group, [place]);
            return JSON.stringify([place.group, place.epoch, place.offset]);
          })
          .filter(({ length }) => length <= MAX_POSITION);
        headers[RESUME_MEMBER] = `{"session":"${session}","serial":${++serial},"at":[${at.slice(-MAX_POSITIONS)}]}`;
      },
    };
  };
  return { begin } as Resume;
}
