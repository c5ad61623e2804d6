const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const formatTime = (timestamp: number): string => time.format(timestamp);

export const formatDateAndTime = (timestamp: number): string => dateAndTime.format(timestamp);

/** "Ann", "Ann and Bo", "Ann, Bo and Cy". */
export function formatNames(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** The one or two letters of an avatar. */
export function initials(name: string): string {
  const [first = "", second = ""] = name.split(/\s+/);
  return ([...first].slice(0, 1).join("") + [...second].slice(0, 1).join("")).toUpperCase();
}

/** One of the style sheet's avatar colours, always the same for a name. */
export function colourOf(name: string): string {
  let hash = 0;
  for (const character of name.toLowerCase()) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return String(hash % 6);
}
