import type { Message } from "../../shared/model.js";
import { element } from "../dom.js";
import { formatDateAndTime, formatTime } from "../format.js";
import { avatar, inHue } from "./avatar.js";
import { nameOf } from "./names.js";

/** Messages of one user within this time are grouped, in ms. */
const GROUP_WITHIN_MS = 5 * 60_000;

export interface MessageLook {
  readonly isOwn: boolean;
  readonly hue: number;
  /** The message above it. */
  readonly previous: Message | undefined;
}

/** One message. The first one of a group has the avatar, the sender and the time. */
export function messageItem(message: Message, { isOwn, hue, previous }: MessageLook): HTMLElement {
  const { id, senderId, senderName, text, timestamp } = message;
  const isFirst = previous?.senderId !== senderId || timestamp - previous.timestamp > GROUP_WITHIN_MS;
  const when = formatDateAndTime(timestamp);
  const time = element("time", { datetime: new Date(timestamp).toISOString(), title: when }, formatTime(timestamp));
  const sender = element(
    "span",
    { class: isFirst && !isOwn ? "sender" : "hidden" },
    isOwn ? "You" : nameOf(senderName),
  );
  return inHue(
    element(
      "li",
      { "data-id": id, class: ["message", isOwn && "own", isFirst && "first"].filter(Boolean).join(" ") },
      ...(isFirst && !isOwn ? [avatar(senderName, hue)] : []),
      element("p", { class: "byline" }, sender, ...(isFirst ? [" ", time] : [])),
      element("p", { class: "bubble", title: when, dir: "auto" }, text),
    ),
    hue,
  );
}
