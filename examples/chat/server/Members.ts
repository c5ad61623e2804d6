import type { WebSocketOutgoing } from "@grest-ts/websocket";
import type { ChatApiContract } from "../shared/ChatApi.js";
import type { Presence, User } from "../shared/model.js";

export type ChatOutgoing = WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>;

/** One connection of a user; the same user may have several. */
export interface Member {
  readonly user: User;
  readonly outgoing: ChatOutgoing;
  /** Absent until it has joined a room. */
  channelId?: string;
}

/** All connected members. */
export class Members {
  readonly #members = new Set<Member>();

  add(member: Member): void {
    this.#members.add(member);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  all(): Member[] {
    return [...this.#members];
  }

  inRoom(channelId: string): Member[] {
    return this.all().filter((member) => member.channelId === channelId);
  }

  ofUser(userId: string): Member[] {
    return this.all().filter(({ user }) => user.id === userId);
  }

  /** Who is in which room; a user who is in a room twice is listed once. */
  online(): Presence[] {
    const byUserAndRoom = new Map<string, Presence>();
    for (const { user, channelId } of this.#members) {
      if (channelId === undefined) continue;
      byUserAndRoom.set(`${channelId} ${user.id}`, { userId: user.id, name: user.name, channelId });
    }
    return [...byUserAndRoom.values()].sort((a, b) => a.name.localeCompare(b.name));
  }
}
