import type { WebSocketOutgoing } from "@grest-ts/websocket";
import type { ChatApiContract } from "../shared/ChatApi.js";
import type { User } from "../shared/model.js";
import type { ChatRoom } from "./ChatRooms.js";

export type ChatOutgoing = WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>;

/** One connection of a user; the same user may have several. */
export interface Member {
  readonly user: User;
  readonly outgoing: ChatOutgoing;
  /** Absent until it has joined a room. */
  room?: ChatRoom;
  /** Its joins, one after another: of two at once each would leave the room that it was in before. */
  joining: Promise<unknown>;
}

/** The members that are connected to this node. */
export class Members {
  readonly #members = new Set<Member>();

  add(member: Member): void {
    this.#members.add(member);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  ofUser(userId: string): Member[] {
    return [...this.#members].filter(({ user }) => user.id === userId);
  }
}
