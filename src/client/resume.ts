import type { GGResume, GGResumeOptions } from "../api/resume.js";
import { runCallback } from "../connection/endpoint.js";
import { Inbox } from "../connection/inbox.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type Frame, FrameType, parsePayload } from "../protocol/frame.js";
import { type GroupPosition, MAX_POSITIONS, RESUME_MEMBER } from "../protocol/resume.js";
import type { ClientPlatform } from "./platform/platform.js";

/** The longest JSON text of a position that is presented: 100 of them fit into a handshake, where they are JSON in JSON. */
const MAX_POSITION = 250;

/** How many groups are remembered: beyond, the one whose latest join is the longest ago is forgotten. */
const MAX_PLACES = 10_000;

/** Where a client is in a group: everything up to its offset has been handled. */
interface Place {
  readonly group: string;
  readonly epoch: string;
  offset: number;
  /** The offset that the latest handshake has presented. */
  presented: number;
  /** The number of the connection that decides where the group is: the latest that has it; 0 when it closed, LEFT when it left. */
  owner: number;
  /** The epochs before, and the number of the latest handshake when the last of them ended. */
  readonly former: readonly string[];
  readonly since: number;
}

const LEFT = -1;

/** How many epochs that ended are remembered, beside the last one. */
const MAX_FORMER = 7;

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
    /** The number of the latest handshake. */
    let serial = 0;
    /** The current place in each group. */
    const places = new Map<string, Place>();
    /** Whether the latest connection could resume. What another one brings has no place. */
    let isKnown = true;

    class ResumingInbox extends (platform.endpoint?.Inbox ?? Inbox) {
      // biome-ignore lint/suspicious/noAssignInExpressions: an inbox is made when its connection opens
      override readonly otherType = (isKnown = this.ofConnection.can("resume")) && FrameType.GROUP;
      readonly #own = serial;
      /** Where it is in the groups of this connection, by their aliases. */
      readonly #joined = new Map<string, Place>();

      override shutDown(): void {
        super.shutDown();
        for (const place of this.#joined.values()) if (place.owner === this.#own) place.owner = 0;
      }

      protected override dispatch(frame: Frame, method: CompiledMethod | undefined): void {
        const { type, id, payload } = frame;
        const [alias, at] = id.split(".") as [string, string?];
        const known = this.#joined.get(alias);
        if (type === FrameType.GROUP) {
          const to = payload && (parsePayload(payload) as GroupPosition | number);
          if (typeof to !== "number") this.#move(alias, known, to === "" ? to : Object(to));
          else if (known) this.#advance(known, to);
        } else if (type !== FrameType.MESSAGE || !known || this.#advance(known, Number(at)))
          super.dispatch(frame, method);
      }

      /** Whether the message of an offset is new; one without an offset always is. */
      #advance(place: Place, offset: number): boolean {
        if (!Number.isSafeInteger(offset)) return true;
        // Another connection may have brought it.
        const isNew = this.#mayDecide(place) && offset > place.offset;
        if (isNew) {
          // The connection that had decided has closed.
          const isOther = places.get(place.group) !== place;
          if (isOther) this.#enter(place);
          if (isOther || offset > place.offset + 1) this.#report(place.group, false);
          place.offset = offset;
        }
        return isNew;
      }

      /** Not when a later connection does, nor while its node does not know yet that an epoch has ended. */
      #mayDecide(place: Place): boolean {
        const current = places.get(place.group) ?? place;
        const isLate = current.former.includes(place.epoch) && this.#own <= current.since;
        return current === place || (current.owner <= this.#own && !isLate);
      }

      #move(alias: string, known: Place | undefined, to: GroupPosition | ""): void {
        if (!to) {
          this.#joined.delete(alias);
          if (known && known.owner <= this.#own) known.owner = LEFT;
          return;
        }
        const { group = known?.group, epoch, offset, recovered, missed = 0 } = to;
        // A server that does not keep to the rules.
        if (!alias || typeof group !== "string" || typeof epoch !== "string" || !Number.isSafeInteger(offset)) return;
        const current = places.get(group);
        const former = current ? [...current.former.slice(-MAX_FORMER), current.epoch] : [];
        const place =
          current?.epoch === epoch ? current : { group, epoch, offset, presented: 0, owner: 0, former, since: serial };
        this.#joined.set(alias, place);
        if (!this.#mayDecide(place) || place.owner > this.#own) return;
        // What was presented is ahead of the servers only when they have gone back in time.
        const isBack = recovered === false && this.#own === serial && place.presented > offset;
        const goesOn = place === current && place.offset >= offset && !isBack;
        const outcome = current?.owner === LEFT && !recovered ? undefined : current && goesOn;
        place.offset = isBack ? offset : Math.max(place.offset, offset);
        this.#enter(place);
        if (to.group || !goesOn) this.#report(group, outcome, outcome && offset + missed - place.offset);
      }

      /** From now on the group is there, as this connection says. */
      #enter(place: Place): void {
        place.owner = this.#own;
        places.delete(place.group);
        if (places.set(place.group, place).size > MAX_PLACES) places.delete([...places.keys()][0] as string);
      }

      #report(group: string, recovered: boolean | undefined, missed: number | false = 0): void {
        runCallback(this.ofConnection.socketEndpoint, this.ofConnection.context, "onGroup", () =>
          onGroup?.({ group, recovered, missed: Math.max(missed || 0, 0) }),
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
          .filter(({ owner, group }) => isKnown && (owner !== LEFT || !places.delete(group)))
          .slice(-MAX_POSITIONS)
          .map((place) => {
            place.presented = place.offset;
            return JSON.stringify([place.group, place.epoch, place.offset]);
          })
          .filter(({ length }) => length <= MAX_POSITION);
        headers[RESUME_MEMBER] = `{"session":"${session}","serial":${++serial},"at":[${at}]}`;
      },
    };
  };
  return { begin } as Resume;
}
