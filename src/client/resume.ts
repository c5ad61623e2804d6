import type { GGResume, GGResumeOptions } from "../api/resume.js";
import { runCallback } from "../connection/endpoint.js";
import { Inbox } from "../connection/inbox.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type Frame, FrameType, parsePayload } from "../protocol/frame.js";
import { type GroupPosition, MAX_POSITIONS, RESUME_MEMBER } from "../protocol/resume.js";
import type { ClientPlatform } from "./platform/platform.js";

/** How many groups are remembered: beyond, the one whose latest join is the longest ago is forgotten. */
const MAX_PLACES = 10_000;

/** The longest JSON text of a position that is presented: 100 of them fit into a handshake, where they are JSON in JSON. */
const MAX_POSITION = 250;

/** Where a client is in a group: everything up to its offset has been handled. */
interface Place {
  readonly group: string;
  readonly epoch: string;
  offset: number;
  /** The offset at the latest handshake. */
  presented: number;
  /** The epoch that the group was in at the latest handshake, when it has another since. */
  former: string | undefined;
  /** The number of the latest connection that has it; 0 once that has left the group. */
  serial: number;
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
    /** The current place in each group. */
    const places = new Map<string, Place>();

    class ResumingInbox extends (platform.endpoint?.Inbox ?? Inbox) {
      override readonly otherType = this.ofConnection.can("resume") && FrameType.GROUP;
      readonly #serial = serial;
      /** Where it is in the groups of this connection, by their aliases. */
      readonly #joined = new Map<string, Place>();

      protected override dispatch(frame: Frame, method: CompiledMethod | undefined): void {
        const { type, path, id, payload } = frame;
        const [alias, at] = id.split(".") as [string, string?];
        const known = this.#joined.get(alias);
        const to = type === FrameType.GROUP ? parsePayload(payload) : Number(at);
        if (typeof to !== "number") this.#move(alias, known, to as GroupPosition | undefined);
        else if (known && type !== FrameType.REQUEST) {
          // Another connection has brought it, or another place has taken over.
          if (!(to > known.offset && places.get(known.group) === known)) return;
          if (to > known.offset + 1) this.#report(known.group, false);
          known.offset = to;
        }
        if (path) super.dispatch(frame, method);
      }

      #move(alias: string, known: Place | undefined, to: GroupPosition | undefined): void {
        const own = this.#serial;
        if (!to) {
          this.#joined.delete(alias);
          // A later connection may still have it.
          if (known?.serial === own) known.serial = 0;
          return;
        }
        const { group = known?.group ?? "", epoch, offset, recovered, missed = 0 } = to;
        const latest = places.get(group);
        // What was presented is ahead of the servers only when they have gone back in time.
        const isSame = latest?.epoch === epoch && (recovered !== false || latest.presented <= offset);
        const place = isSame
          ? latest
          : { group, epoch, offset, serial: own, presented: 0, former: latest?.former ?? latest?.epoch };
        const outcome = latest?.serial ? isSame && latest.offset >= offset : undefined;
        this.#joined.set(alias, place);
        // What a later connection has is newer, and so is what an earlier one has got since this one's handshake.
        if (!isSame && latest && (latest.serial > own || latest.former === epoch)) return;
        place.offset = Math.max(place.offset, offset);
        place.serial = Math.max(place.serial, own);
        places.delete(group);
        places.set(group, place);
        if (to.group || !outcome) this.#report(group, outcome, offset + missed - place.offset);
      }

      #report(group: string, recovered: boolean | undefined, missed = 0): void {
        const connection = this.ofConnection;
        runCallback(connection.socketEndpoint, connection.context, "onGroup", () =>
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
          .filter((place) => place.serial)
          .map((place) => {
            if (places.size > MAX_PLACES) places.delete(place.group);
            place.presented = place.offset;
            place.former = undefined;
            return JSON.stringify([place.group, place.epoch, place.offset]);
          })
          .filter(({ length }) => length <= MAX_POSITION);
        headers[RESUME_MEMBER] = `{"session":"${session}","serial":${++serial},"at":[${at.slice(-MAX_POSITIONS)}]}`;
      },
    };
  };
  return { begin } as Resume;
}
