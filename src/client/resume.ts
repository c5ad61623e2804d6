import type { GGResume, GGResumeOptions } from "../api/resume.js";
import type { Connection } from "../connection/connection.js";
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
  /** The offset that the latest handshake has presented; none, so above all, where that was in another epoch. */
  presented: number | undefined;
  /** That in the epoch before: a connection may be one behind another, and hear of that later. */
  former?: Place | undefined;
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
    /** The place in each group. */
    const places = new Map<string, Place>();
    /** The connection that decides: the latest, while it is open. What an earlier one brings comes on that one as well. */
    let latest: Connection;

    class ResumingInbox extends (platform.endpoint?.Inbox ?? Inbox) {
      // biome-ignore lint/suspicious/noAssignInExpressions: an inbox is made when its connection opens
      override readonly otherType = (latest = this.ofConnection).can("resume") && FrameType.GROUP;
      /** Where this connection is in its groups, by their aliases. */
      readonly #joined = new Map<string, Place>();

      protected override dispatch(frame: Frame, method: CompiledMethod | undefined): void {
        const { type, id, payload } = frame;
        const [alias, at] = id.split(".") as [string, string?];
        const known = this.#joined.get(alias);
        const to: unknown = type === FrameType.GROUP ? parsePayload(payload) : Number(at);
        if (!latest.isOpen) latest = this.ofConnection;
        const isNew = type === FrameType.REQUEST || !known || !isOffset(to) || this.#advance(known, to);
        if (type !== FrameType.GROUP) isNew && super.dispatch(frame, method);
        else if (typeof to !== "number") this.#move(alias, known, Object(to));
      }

      /** Returns whether it was not there yet. */
      #advance(place: Place, offset: number): boolean {
        const isNew = latest === this.ofConnection && offset > place.offset;
        // An earlier connection goes on where a later one has failed.
        if (isNew && (this.#enter(place) !== place || offset > place.offset + 1)) this.#report(place.group, false);
        if (isNew) place.offset = offset;
        return isNew;
      }

      #move(alias: string, known: Place | undefined, to: Partial<GroupPosition>): void {
        const { group = known?.group as string, epoch, offset, recovered, missed = 0 } = to;
        const current = places.get(group);
        const decides = latest === this.ofConnection;
        // Nothing, or from a server that does not keep to the rules.
        if (typeof epoch !== "string" || !alias || !isOffset(offset)) {
          this.#joined.delete(alias);
          if (decides) places.delete(group);
          return;
        }
        const place = [current, current?.former].find((it) => it?.epoch === epoch) ?? {
          group,
          epoch,
          offset,
          presented: 0,
        };
        this.#joined.set(alias, place);
        if (!decides) return;
        // What was presented is ahead of the servers only when they have gone back in time.
        const isBack = to.group && recovered === false && !(place.presented! <= offset);
        const goesOn = place === current && place.offset >= offset && !isBack;
        place.offset = isBack ? offset : Math.max(place.offset, offset);
        this.#enter(place);
        if (to.group || !goesOn) this.#report(group, current && goesOn, goesOn && offset + missed - place.offset);
      }

      /** Makes a place that of its group. Returns the one before. */
      #enter(place: Place): Place | undefined {
        const before = places.get(place.group);
        if (before && before !== place) {
          place.former = before;
          before.presented = before.former = undefined;
        }
        places.set(place.group, place);
        return before;
      }

      #report(group: string, recovered: boolean | undefined, missed: number | false = false): void {
        const { socketEndpoint, context } = this.ofConnection;
        runCallback(socketEndpoint, context, "onGroup", () =>
          // Another connection may have brought some of it.
          onGroup?.({ group, recovered, missed: Math.max(Number(missed), 0) }),
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
          .map((place) => {
            place.presented = place.offset;
            return JSON.stringify([place.group, place.epoch, place.offset]);
          })
          .filter(({ length }) => length <= MAX_POSITION);
        headers[RESUME_MEMBER] = `{"session":"${session}","serial":${++serial},"at":[${at.slice(-MAX_POSITIONS)}]}`;
      },
    };
  };
  return { begin } as Resume;
}

const isOffset: (value: unknown) => value is number = Number.isSafeInteger as never;
