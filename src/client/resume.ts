import type { GGResume, GGResumeOptions } from "../api/resume.js";
import { runCallback } from "../connection/endpoint.js";
import { Inbox } from "../connection/inbox.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type Frame, FrameType, parsePayload } from "../protocol/frame.js";
import { type GroupPosition, MAX_POSITIONS, RESUME_MEMBER } from "../protocol/resume.js";
import type { ClientPlatform } from "./platform/platform.js";

/** How many groups are remembered: beyond, the one whose latest join is the longest ago is forgotten. */
const MAX_PLACES = 1_000;

/** Names of groups that are longer are not presented: 100 of them fit into a handshake. */
const MAX_NAME = 150;

/** Where a client is in a group: everything up to its offset has been handled. */
interface Place {
  readonly group: string;
  readonly epoch: string;
  offset: number;
  /** The offset that the latest handshake has presented. */
  presented: number;
  /** That of the latest connection that has it. */
  inbox: Inbox;
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
    const places = new Map<string, Place>();

    class ResumingInbox extends (platform.endpoint?.Inbox ?? Inbox) {
      override readonly otherType = FrameType.GROUP;
      /** Where it is in the groups of this connection, by their aliases. */
      readonly #joined = new Map<string, Place>();

      protected override dispatch(frame: Frame, method: CompiledMethod | undefined): void {
        const { type, id, payload } = frame;
        const [alias = "", offset] = id.split(".");
        const place = this.#joined.get(alias);
        if (type === FrameType.GROUP) this.#takeGroup(alias, place, parsePayload(payload) as GroupPosition | number);
        // An earlier connection may still deliver while another one does.
        else if (type !== FrameType.MESSAGE || !place || this.#advance(place, Number(offset)))
          super.dispatch(frame, method);
      }

      /** Returns whether it was not there yet. */
      #advance(place: Place, offset: number): boolean {
        const steps = offset - place.offset;
        if (steps > 1) this.#report(place.group, false);
        if (steps > 0) place.offset = offset;
        return steps > 0;
      }

      #takeGroup(alias: string, known: Place | undefined, to: GroupPosition | number | undefined): void {
        if (typeof to === "number") {
          if (known) this.#advance(known, to);
          return;
        }
        const group = to?.group ?? known?.group ?? "";
        const before = places.get(group);
        if (!to) {
          this.#joined.delete(alias);
          if (before?.inbox === this) places.delete(group);
          return;
        }
        const { epoch, offset, recovered, missed = 0 } = to;
        let place: Place = { group, epoch, offset, presented: 0, inbox: this };
        // What was presented is ahead of the servers only when they have gone back in time.
        const goesOn =
          before?.epoch === epoch && before.offset >= offset && (recovered !== false || before.presented <= offset);
        if (goesOn) place = before;
        // What an earlier connection still brings of the place that ends is not taken any more.
        else if (before && (known || before.inbox !== this)) before.offset = Number.NaN;
        place.inbox = this;
        this.#joined.set(alias, place);
        places.delete(group);
        if (places.set(group, place).size > MAX_PLACES) places.delete([...places.keys()][0] ?? "");
        if (to.group || !goesOn) this.#report(group, before && goesOn, offset + missed - place.offset);
      }

      #report(group: string, recovered: boolean | undefined, missed = 0): void {
        const { socketEndpoint, context } = this.ofConnection;
        runCallback(socketEndpoint, context, "onGroup", () =>
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
        const known = [...places.values()].filter(({ group }) => group.length <= MAX_NAME);
        const at = known.slice(-MAX_POSITIONS).map((place) => {
          place.presented = place.offset;
          return [place.group, place.epoch, place.offset];
        });
        headers[RESUME_MEMBER] = `{"session":"${session}","serial":${++serial},"at":${JSON.stringify(at)}}`;
      },
    };
  };
  return { begin } as Resume;
}
