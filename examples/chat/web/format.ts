const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The time, with its date unless that is today. */
export function formatTime(timestamp: number): string {
  const isToday = new Date(timestamp).toDateString() === new Date().toDateString();
  return (isToday ? time : dateAndTime).format(timestamp);
}

export const formatDateAndTime = (timestamp: number): string => dateAndTime.format(timestamp);

/** The one or two letters of an avatar. */
export function initials(name: string): string {
  const [first = "", second = ""] = name.trim().split(/\s+/);
  return ([...first].slice(0, 1).join("") + [...second].slice(0, 1).join("")).toUpperCase();
}
