const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The time, with its date unless that is today. */
export function formatTime(timestamp: number): string {
  const isToday = new Date(timestamp).toDateString() === new Date().toDateString();
  return (isToday ? time : dateAndTime).format(timestamp);
}

export const formatDateAndTime = (timestamp: number): string => dateAndTime.format(timestamp);

/** How many names are listed. */
const LISTED = 3;

/** "Ann", "Ann and Bo", "Ann, Bo and Cy", "Ann, Bo and 2 others". */
export function formatNames(names: readonly string[]): string {
  const listed = names.length > LISTED ? [...names.slice(0, LISTED - 1), `${names.length - LISTED + 1} others`] : names;
  const last = listed.at(-1) ?? "";
  return listed.length < 2 ? last : `${listed.slice(0, -1).join(", ")} and ${last}`;
}

/** The one or two letters of an avatar. */
export function initials(name: string): string {
  const [first = "", second = ""] = name.trim().split(/\s+/);
  return ([...first].slice(0, 1).join("") + [...second].slice(0, 1).join("")).toUpperCase();
}
